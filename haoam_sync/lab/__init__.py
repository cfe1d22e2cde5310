"""The embedded lab: a Data Plane API over a real HAProxy, for demo, tests and previews.

`lab.up(fleet, directory)` starts one instance for each of a fleet and gives a `RunningLab`; `haoam_sync.lab.server`
serves one within the process, `haoam_sync.lab.serve` as a process of its own.
"""

from haoam_sync.lab.fleet import LabInstance, RunningLab, up

__all__ = ["LabInstance", "RunningLab", "up"]
