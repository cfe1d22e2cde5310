"""The kinds of events of a pull request that are known here. Any other one holds the commit.

https://docs.github.com/rest/using-the-rest-api/issue-event-types, and those that GraphQL's timeline items name.
"""

from __future__ import annotations

from typing import Final

MOVES: Final = frozenset(
    {
        "automatic_base_change_succeeded",
        "base_ref_changed",
        "base_ref_deleted",
        "base_ref_force_pushed",
        "committed",
        "head_ref_force_pushed",
        "reopened",
    }
)
"""After these, what was reviewed before is another change, or may be."""

HARMLESS: Final = frozenset(
    [
        "added_to_merge_queue",
        "added_to_project",
        "added_to_project_v2",
        "assigned",
        "auto_merge_disabled",
        "auto_merge_enabled",
        "auto_rebase_disabled",
        "auto_rebase_enabled",
        "auto_squash_disabled",
        "auto_squash_enabled",
        "automatic_base_change_failed",
        "blocked_by_added",
        "blocked_by_removed",
        "blocking_added",
        "blocking_removed",
        "closed",
        "comment_deleted",
        "commented",
        "commit-commented",
        "connected",
        "convert_to_draft",
        "converted_from_draft",
        "converted_note_to_issue",
        "converted_to_discussion",
        "copilot_work_finished",
        "copilot_work_finished_failure",
        "copilot_work_started",
        "cross-referenced",
        "demilestoned",
        "deployed",
        "deployment_environment_changed",
        "disconnected",
        "head_ref_deleted",
        "head_ref_restored",
        "issue_type_added",
        "issue_type_changed",
        "issue_type_removed",
        "labeled",
        "line-commented",
        "locked",
        "marked_as_duplicate",
        "mentioned",
        "merged",
        "milestoned",
        "moved_columns_in_project",
        "parent_issue_added",
        "parent_issue_removed",
        "pinned",
        "project_v2_item_status_changed",
        "ready_for_review",
        "referenced",
        "removed_from_merge_queue",
        "removed_from_project",
        "removed_from_project_v2",
        "renamed",
        "review_dismissed",
        "review_request_removed",
        "review_requested",
        "reviewed",
        "sub_issue_added",
        "sub_issue_removed",
        "subscribed",
        "transferred",
        "unassigned",
        "unlabeled",
        "unlocked",
        "unmarked_as_duplicate",
        "unpinned",
        "unsubscribed",
        "user_blocked",
    ]
)
"""These change neither what was proposed nor what was said about it; reviews are read from their own list."""
