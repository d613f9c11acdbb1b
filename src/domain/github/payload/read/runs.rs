//! Parses what judges a commit: runs of workflows and their jobs, checks and their suites, statuses.
//!
//! Not here: the filter by conclusion (`domain::github::subscription`).

use super::{Actor, Node, Run, actor};

pub(super) fn workflow_run(data: Node) -> Run {
    let run = data.get("workflow_run");
    let name = run.line("name");
    Run {
        name: if name.is_empty() { data.get("workflow").line("name") } else { name },
        title: run.line("display_title"),
        conclusion: run.line("conclusion"),
        branch: run.line("head_branch"),
        sha: run.line("head_sha"),
        url: run.address("html_url"),
        number: run.number("run_number"),
        attempt: run.number("run_attempt"),
        app: "github-actions".to_owned(),
        actor: actor(run.get("actor")),
    }
}

pub(super) fn check_run(data: Node, sender: &Actor) -> Run {
    Run {
        name: data.line("name"),
        title: data.get("output").line("title"),
        conclusion: data.line("conclusion"),
        branch: data.get("check_suite").line("head_branch"),
        sha: data.line("head_sha"),
        url: data.address("html_url"),
        number: 0,
        attempt: 0,
        app: data.get("app").line("slug"),
        actor: sender.clone(),
    }
}

pub(super) fn check_suite(data: Node, sender: &Actor) -> Run {
    let suite = data.get("check_suite");
    let (sha, repository) = (suite.line("head_sha"), data.get("repository").address("html_url"));
    Run {
        name: suite.get("app").line("name"),
        conclusion: suite.line("conclusion"),
        branch: suite.line("head_branch"),
        // GitHub gives no page of its own.
        url: if repository.is_empty() { repository } else { format!("{repository}/commit/{sha}/checks") },
        sha,
        app: suite.get("app").line("slug"),
        actor: sender.clone(),
        ..Run::default()
    }
}

pub(super) fn workflow_job(data: Node, sender: &Actor) -> Run {
    Run {
        name: data.line("name"),
        title: data.line("workflow_name"),
        conclusion: data.line("conclusion"),
        branch: data.line("head_branch"),
        sha: data.line("head_sha"),
        url: data.address("html_url"),
        attempt: data.number("run_attempt"),
        actor: sender.clone(),
        ..Run::default()
    }
}

/// Parses the status of a commit, whose state stands for a conclusion.
pub(super) fn status(data: Node, sender: &Actor) -> Run {
    let target = data.address("target_url");
    Run {
        name: data.line("context"),
        title: data.line("description"),
        conclusion: data.line("state"),
        branch: data.names("branches", "name").into_iter().next().unwrap_or_default(),
        sha: data.line("sha"),
        url: if target.is_empty() { data.get("commit").address("html_url") } else { target },
        actor: sender.clone(),
        ..Run::default()
    }
}
