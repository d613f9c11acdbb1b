//! GitHub's event types: the kind that a channel subscribes to, and the message of each type that needs no code of its
//! own.
//!
//! A type with a [`Subject`](super::payload::Subject) of its own has only its kind here. Not here: events about the app
//! itself, such as `installation`, which become no events of an organisation; the layout (`message::card`).

use super::subscription::EventKind;

/// An event type.
#[derive(Debug)]
pub struct Row {
    /// GitHub's name.
    pub event: &'static str,
    /// The kind that a channel subscribes to.
    pub kind: EventKind,
    /// The object with its article, which follows the action: `a milestone`.
    pub noun: &'static str,
    /// JSON pointers to the title; the first with a value counts.
    pub title: &'static [&'static str],
    /// JSON pointers to the URL of its page, likewise.
    pub url: &'static [&'static str],
    /// Labels, with JSON pointers to their values; `*` stands for every entry of a list.
    pub facts: &'static [(&'static str, &'static str)],
    /// JSON pointer to a user's text; empty without one.
    pub text: &'static str,
    /// Actions whose phrase is not the action with the noun. `*` stands for any action, an empty one for none.
    pub phrases: &'static [(&'static str, &'static str)],
    /// The reason for which it is not notified, if it is not.
    pub muted: &'static [&'static str],
}

impl Row {
    /// Returns the phrase that follows the sender's name, if there is one of our own for this action.
    pub fn phrase(&self, action: &str) -> Option<&'static str> {
        self.phrases.iter().find(|(known, _)| *known == action || *known == "*").map(|(_, phrase)| *phrase)
    }

    /// Returns true if its payload has a subject of its own, and so its message code of its own.
    pub fn has_subject(&self) -> bool {
        self.title.is_empty() && self.facts.is_empty() && self.phrases.is_empty() && self.muted.is_empty()
    }
}

/// Returns the entry of an event type; `None` for one that GitHub did not have when this was written.
pub fn find(event: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.event == event)
}

macro_rules! rows {
    ($($event:literal $kind:ident $noun:literal
        $(title $($title:literal)|+)? $(at $($url:literal)|+)? $(text $text:literal)?
        $(facts {$($label:literal: $fact:literal),+})? $(phrases {$($action:literal: $phrase:literal),+})?
        $(muted $muted:literal)?;)+) => {
        /// All event types that become events of an organisation.
        pub const ROWS: &[Row] = &[$(Row {
            event: $event,
            kind: EventKind::$kind,
            noun: $noun,
            title: &[$($($title),+)?],
            url: &[$($($url),+)?],
            facts: &[$($(($label, $fact)),+)?],
            text: concat!($($text)?),
            phrases: &[$($(($action, $phrase)),+)?],
            muted: &[$($muted)?],
        }),+];
    };
}

rows! {
    "issues" Issues "an issue";
    "pull_request" Pulls "a pull request";
    "push" Commits "commits";
    "release" Releases "a release";
    "deployment" Deployments "a deployment";
    "deployment_status" Deployments "a deployment";
    "pull_request_review" Reviews "a review";
    "pull_request_review_comment" Reviews "a comment on a line";
    "pull_request_review_thread" Reviews "a thread of a review"
        muted "a thread is part of its review, and a review is one message";
    "issue_comment" Comments "a comment";
    "commit_comment" Comments "a comment on a commit";
    "create" Branches "a branch or tag";
    "delete" Branches "a branch or tag";
    "discussion" Discussions "a discussion";
    "discussion_comment" Discussions "a comment on a discussion";
    "star" Stars "a star";
    "fork" Stars "a fork";
    "watch" Stars "a star" muted "GitHub sends it beside the event star, which is notified";
    "workflow_run" Workflows "Workflow";
    "check_run" Checks "Check";
    "check_suite" Ci "Check suite";
    "workflow_job" Ci "Job";
    "status" Ci "Status";

    "workflow_dispatch" Ci "a workflow" title "/workflow"
        facts {"Ref": "/ref"} phrases {"": "started a workflow manually"};
    "repository_dispatch" Ci "an event" title "/action"
        facts {"Branch": "/branch"} phrases {"*": "dispatched an event of their own"};
    "merge_group" Ci "a merge group" title "/merge_group/head_commit/message"
        facts {"Into": "/merge_group/base_ref", "Reason": "/reason"}
        phrases {"checks_requested": "had a merge group checked", "destroyed": "dissolved a merge group"};
    "page_build" Ci "the site of the repository" facts {"Status": "/build/status", "Error": "/build/error/message"}
        phrases {"": "had the site of the repository built"};

    "dependabot_alert" Security "a Dependabot alert" title "/alert/security_advisory/summary" at "/alert/html_url"
        facts {
            "Severity": "/alert/security_advisory/severity", "Package": "/alert/dependency/package/name",
            "Manifest": "/alert/dependency/manifest_path",
            "Fixed in": "/alert/security_vulnerability/first_patched_version/identifier",
            "Dismissed as": "/alert/dismissed_reason"
        }
        phrases {
            "created": "opened a Dependabot alert", "auto_dismissed": "dismissed a Dependabot alert by a rule",
            "auto_reopened": "reopened a Dependabot alert by a rule",
            "assignees_changed": "changed who is assigned to a Dependabot alert"
        };
    "repository_vulnerability_alert" Security "a vulnerability alert" title "/alert/affected_package_name"
        at "/alert/external_reference" facts {"Severity": "/alert/severity", "Range": "/alert/affected_range"}
        phrases {
            "create": "opened a vulnerability alert", "dismiss": "dismissed a vulnerability alert",
            "reopen": "reopened a vulnerability alert", "resolve": "resolved a vulnerability alert"
        };
    "code_scanning_alert" Security "a code scanning alert" title "/alert/rule/description" | "/alert/rule/id"
        at "/alert/html_url"
        facts {
            "Severity": "/alert/rule/security_severity_level", "Level": "/alert/rule/severity",
            "Tool": "/alert/tool/name", "Ref": "/ref", "Dismissed as": "/alert/dismissed_reason"
        }
        phrases {
            "created": "opened a code scanning alert",
            "appeared_in_branch": "found a known code scanning alert in a branch",
            "closed_by_user": "closed a code scanning alert", "reopened_by_user": "reopened a code scanning alert",
            "updated_assignment": "changed who is assigned to a code scanning alert"
        };
    "secret_scanning_alert" Security "a secret scanning alert"
        title "/alert/secret_type_display_name" | "/alert/secret_type" at "/alert/html_url"
        facts {
            "Resolution": "/alert/resolution", "Validity": "/alert/validity",
            "Push protection bypassed by": "/alert/push_protection_bypassed_by/login"
        }
        phrases {
            "created": "opened a secret scanning alert", "publicly_leaked": "found a leaked secret in public",
            "validated": "checked a leaked secret", "assigned": "was assigned a secret scanning alert",
            "unassigned": "was unassigned from a secret scanning alert"
        };
    "secret_scanning_alert_location" Security "a place of a leaked secret"
        title "/alert/secret_type_display_name" | "/alert/secret_type" at "/alert/html_url" facts {"Place": "/location/type", "Path": "/location/details/path"}
        phrases {"created": "found a leaked secret in another place"};
    "secret_scanning_scan" Security "a scan for secrets" title "/type" facts {"Source": "/source"};
    "security_advisory" Security "a security advisory" title "/security_advisory/summary"
        at "/security_advisory/references/0/url"
        facts {"Severity": "/security_advisory/severity", "Advisory": "/security_advisory/ghsa_id"};
    "repository_advisory" Security "a security advisory of the repository" title "/repository_advisory/summary"
        at "/repository_advisory/html_url"
        facts {"Severity": "/repository_advisory/severity", "Advisory": "/repository_advisory/ghsa_id"};
    "security_and_analysis" Security "the security settings"
        facts {
            "Secret scanning": "/repository/security_and_analysis/secret_scanning/status",
            "Push protection": "/repository/security_and_analysis/secret_scanning_push_protection/status",
            "Dependabot updates": "/repository/security_and_analysis/dependabot_security_updates/status"
        }
        phrases {"": "changed the security settings"};

    "deployment_review" Approvals "a deployment" title "/workflow_run/name" at "/workflow_run/html_url" text "/comment"
        facts {"Environment": "/environment", "Environments": "/workflow_job_runs/*/environment"}
        phrases {"requested": "asked for the approval of a deployment"};
    "deployment_protection_rule" Approvals "a deployment" title "/environment"
        facts {"Ref": "/deployment/ref", "Event": "/event"}
        phrases {"requested": "asked a protection rule about a deployment"};
    "bypass_request_push_ruleset" Approvals "a request to bypass a push ruleset"
        title "/exemption_request/resource_identifier" at "/exemption_request/html_url"
        text "/exemption_request/requester_comment"
        facts {"State": "/exemption_request/status", "Requested by": "/exemption_request/requester_login"}
        phrases {"response_submitted": "answered a request to bypass a push ruleset",
            "response_dismissed": "took back an answer to a request to bypass a push ruleset"};
    "bypass_request_secret_scanning" Approvals "a request to bypass push protection"
        title "/exemption_request/resource_identifier" at "/exemption_request/html_url"
        text "/exemption_request/requester_comment"
        facts {"State": "/exemption_request/status", "Requested by": "/exemption_request/requester_login"}
        phrases {"response_submitted": "answered a request to bypass push protection",
            "response_dismissed": "took back an answer to a request to bypass push protection"};
    "dismissal_request_code_scanning" Approvals "a request to dismiss a code scanning alert"
        title "/exemption_request/resource_identifier" at "/exemption_request/html_url"
        text "/exemption_request/requester_comment"
        facts {"State": "/exemption_request/status", "Requested by": "/exemption_request/requester_login"}
        phrases {"response_submitted": "answered a request to dismiss a code scanning alert"};
    "dismissal_request_dependabot" Approvals "a request to dismiss a Dependabot alert"
        title "/exemption_request/resource_identifier" at "/exemption_request/html_url"
        text "/exemption_request/requester_comment"
        facts {"State": "/exemption_request/status", "Requested by": "/exemption_request/requester_login"}
        phrases {"response_submitted": "answered a request to dismiss a Dependabot alert"};
    "dismissal_request_secret_scanning" Approvals "a request to dismiss a secret scanning alert"
        title "/exemption_request/resource_identifier" at "/exemption_request/html_url"
        text "/exemption_request/requester_comment"
        facts {"State": "/exemption_request/status", "Requested by": "/exemption_request/requester_login"}
        phrases {"response_submitted": "answered a request to dismiss a secret scanning alert"};
    "personal_access_token_request" Approvals "a request for a personal access token"
        title "/personal_access_token_request/token_name"
        facts {"Owner": "/personal_access_token_request/owner/login",
            "Repositories": "/personal_access_token_request/repository_selection"};

    "milestone" Planning "a milestone" title "/milestone/title" at "/milestone/html_url"
        facts {"Due": "/milestone/due_on", "Open issues": "/milestone/open_issues",
            "Closed issues": "/milestone/closed_issues"};
    "label" Planning "a label" title "/label/name"
        facts {"Formerly": "/changes/name/from", "Description": "/label/description"};
    "sub_issues" Planning "a sub-issue" title "/sub_issue/title" at "/sub_issue/html_url"
        facts {"Parent": "/parent_issue/title"}
        phrases {
            "sub_issue_added": "added a sub-issue", "sub_issue_removed": "removed a sub-issue",
            "parent_issue_added": "made an issue a sub-issue", "parent_issue_removed": "took an issue out of its parent"
        };
    "issue_dependencies" Planning "a dependency of an issue" title "/blocked_issue/title" at "/blocked_issue/html_url"
        facts {"Blocked by": "/blocking_issue/title"}
        phrases {
            "blocked_by_added": "marked an issue as blocked", "blocked_by_removed": "unblocked an issue",
            "blocking_added": "marked an issue as blocked", "blocking_removed": "unblocked an issue"
        };
    "project" Planning "a project" title "/project/name" at "/project/html_url";
    "project_card" Planning "a card of a project" title "/project_card/note";
    "project_column" Planning "a column of a project" title "/project_column/name";
    "projects_v2" Planning "a project" title "/projects_v2/title" text "/projects_v2/short_description"
        facts {"Number": "/projects_v2/number"};
    "projects_v2_item" Planning "an item of a project" title "/projects_v2_item/content_type"
        facts {"Field": "/changes/field_value/field_name", "Project": "/changes/field_value/project_number"};
    "projects_v2_status_update" Planning "a status update of a project" title "/projects_v2_status_update/status"
        text "/projects_v2_status_update/body" facts {"Target": "/projects_v2_status_update/target_date"};

    "repository" Repository "the repository"
        facts {
            "Formerly": "/changes/repository/name/from", "Formerly owned by": "/changes/owner/from/organization/login",
            "Formerly owned by the user": "/changes/owner/from/user/login",
            "Former default branch": "/changes/default_branch/from"
        }
        phrases {
            "edited": "changed the repository's settings", "publicized": "made the repository public",
            "privatized": "made the repository private", "transferred": "transferred the repository to this account"
        };
    "public" Repository "the repository" phrases {"": "made the repository public"};
    "repository_import" Repository "the repository" facts {"Outcome": "/status"}
        phrases {"": "imported the repository"};
    "repository_ruleset" Repository "a ruleset" title "/repository_ruleset/name"
        at "/repository_ruleset/_links/html/href"
        facts {"Enforcement": "/repository_ruleset/enforcement", "Target": "/repository_ruleset/target"};
    "branch_protection_rule" Repository "a branch protection rule" title "/rule/name"
        facts {"Required checks": "/rule/required_status_checks/*"};
    "branch_protection_configuration" Repository "branch protection"
        phrases {"enabled": "enabled all branch protection of the repository",
            "disabled": "disabled all branch protection of the repository"};
    "deploy_key" Repository "a deploy key" title "/key/title" facts {"Read-only": "/key/read_only"};
    "custom_property" Repository "a custom property of repositories" title "/definition/property_name"
        facts {"Type": "/definition/value_type"}
        phrases {"promote_to_enterprise": "moved a custom property of repositories to the enterprise"};
    "custom_property_values" Repository "custom properties"
        facts {"Properties": "/new_property_values/*/property_name"}
        phrases {"updated": "changed the repository's custom properties"};

    "member" Members "a collaborator" title "/member/login" at "/member/html_url"
        facts {"Permission": "/changes/permission/to", "Role": "/changes/role_name/to"}
        phrases {"edited": "changed the permission of a collaborator"};
    "membership" Members "a member of a team" title "/member/login" at "/member/html_url" facts {"Team": "/team/name"}
        phrases {"added": "added a member to a team", "removed": "removed a member from a team"};
    "organization" Members "the organization"
        title "/membership/user/login" | "/user/login" | "/invitation/login"
        at "/membership/user/html_url" | "/user/html_url"
        facts {"Role": "/membership/role", "Invited as": "/invitation/role", "Formerly": "/changes/login/from"}
        phrases {
            "member_added": "added a member to the organization",
            "member_removed": "removed a member from the organization",
            "member_invited": "invited a member to the organization"
        };
    "org_block" Members "an account" title "/blocked_user/login" at "/blocked_user/html_url";
    "team" Members "a team" title "/team/name" at "/team/html_url"
        facts {"Formerly": "/changes/name/from", "Permission": "/team/permission"}
        phrases {
            "added_to_repository": "gave a team access to the repository",
            "removed_from_repository": "took the repository away from a team"
        };
    "team_add" Members "a team" title "/team/name" at "/team/html_url" facts {"Permission": "/team/permission"}
        phrases {"": "gave a team access to the repository"};
    "sponsorship" Members "a sponsorship" title "/sponsorship/sponsor/login" at "/sponsorship/sponsor/html_url"
        facts {"Tier": "/sponsorship/tier/name"};

    "package" Packages "a package" title "/package/name" at "/package/html_url"
        facts {"Version": "/package/package_version/version", "Type": "/package/package_type"};
    "registry_package" Packages "a package" title "/registry_package/name" at "/registry_package/html_url"
        facts {"Version": "/registry_package/package_version/version", "Type": "/registry_package/package_type"};
    "gollum" Wiki "the wiki" title "/pages/0/title" at "/pages/0/html_url" text "/pages/0/summary"
        facts {"Change": "/pages/0/action", "Pages": "/pages/*/page_name"} phrases {"": "edited the wiki"};
}

#[cfg(test)]
mod tests;
