"""The codec between the Data Plane API's JSON and haproxy.cfg: pure, both ways, from one table of keywords."""

from haoam_sync.haproxycfg.faithful import differences
from haoam_sync.haproxycfg.file import ConfigFile, FileSection
from haoam_sync.haproxycfg.losses import Lost, lost
from haoam_sync.haproxycfg.normal import normal_form, with_explicit_defaults
from haoam_sync.haproxycfg.refusals import Refusal, refused
from haoam_sync.haproxycfg.rewritten import not_kept
from haoam_sync.haproxycfg.section import CODEC_VERSION, CodecError, Section, canonical, canonical_of, parse, render
from haoam_sync.haproxycfg.sending import sendable
from haoam_sync.haproxycfg.unshown import FileLines
from haoam_sync.haproxycfg.unwritable import Unwritable, unwritable

__all__ = [
    "CODEC_VERSION",
    "CodecError",
    "ConfigFile",
    "FileLines",
    "FileSection",
    "Lost",
    "Refusal",
    "Section",
    "Unwritable",
    "canonical",
    "canonical_of",
    "differences",
    "lost",
    "normal_form",
    "not_kept",
    "parse",
    "refused",
    "render",
    "sendable",
    "unwritable",
    "with_explicit_defaults",
]
