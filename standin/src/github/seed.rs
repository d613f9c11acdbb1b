//! Initial accounts and repositories.

use super::accounts::{Directory, Kind, Role};

/// Number of small services of the first organisation, so that lists have pages.
const SERVICES: u64 = 130;

/// Creates the initial accounts and repositories of every stand-in.
pub(crate) fn directory() -> Directory {
    let mut all = Directory::default();
    let ada = all.add_account("ada", Kind::User, Some(1001));
    let max = all.add_account("max", Kind::User, Some(1002));
    let eve = all.add_account("eve", Kind::User, Some(1003));
    let acme = all.add_account("acme", Kind::Organization, Some(2001));
    let globex = all.add_account("globex", Kind::Organization, Some(2002));
    all.set_member(acme, ada, Role::Admin);
    all.set_member(acme, max, Role::Member);
    all.set_member(globex, ada, Role::Admin);
    for (owner, name, private, description) in [
        (acme, "web", false, "The shop's website"),
        (acme, "api", false, "What the website talks to"),
        (acme, "infra", true, "Where it all runs"),
        (globex, "site", false, "The public site"),
        (globex, "ledger", true, "Who owes what"),
        (globex, "tools", false, "Small helpers"),
        (ada, "playground", false, "Things to try out"),
        (max, "scratch", true, "Notes and drafts"),
        (eve, "dotfiles", false, "A home directory"),
        (eve, "diary", true, "Not for anybody else"),
    ] {
        all.add_repository(owner, name, private, description);
    }
    for number in 1..=SERVICES {
        all.add_repository(acme, &format!("service-{number:03}"), number % 10 == 0, "One of many services");
    }
    all
}
