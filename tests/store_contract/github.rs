//! Tests of installations, repositories, links and proofs; routes, threads and workflows.

use tieline::{
    domain::{
        Error,
        github::{
            AccountKind, GithubAccount, GithubInstallation, GithubRepository, link::GithubLink, subscription::Rules,
        },
        ids::{MemberId, UserId},
        routes::route::Route,
        slack::destination::SLACK,
        tenancy::member::{Member, Role},
        workflows::{Workflow, WorkflowParameter},
    },
    store::{
        Tx,
        github::{installations, links},
        routes,
        slack::threads,
        workflows,
    },
};

use super::*;

fn installation(id: i64, login: &str, updated_at: Time) -> GithubInstallation {
    let account = GithubAccount {
        id: id + 1_000,
        login: login.to_owned(),
        kind: AccountKind::Organization,
        html_url: format!("https://github.example/{login}"),
    };
    GithubInstallation {
        id,
        app_id: 4242,
        account,
        events: vec!["push".into(), "issues".into()],
        all_repositories: false,
        suspended_at: None,
        updated_at,
    }
}

fn repository(id: i64, name: &str) -> GithubRepository {
    GithubRepository { id, full_name: format!("acme/{name}"), private: id % 2 == 0 }
}

fn after(app: &TestApp, seconds: u64) -> Time {
    app.now() + Duration::from_secs(seconds)
}

async fn begin(app: &TestApp) -> Tx {
    app.app.base.store().begin().await.unwrap()
}

async fn save(app: &TestApp, installation: &GithubInstallation) {
    let tx = begin(app).await;
    installations::save(&tx, app.app.base.ambient().id(), installation, app.now()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn known(app: &TestApp, id: i64) -> Option<GithubInstallation> {
    let found = installations::find(app.app.base.store().reader(), id).await.unwrap();
    found.map(|stored| stored.installation)
}

async fn reported(app: &TestApp, id: i64, repositories: &[GithubRepository], removed: bool, at: Time) {
    let tx = begin(app).await;
    installations::save_repositories(&tx, id, repositories, removed, at).await.unwrap();
    tx.commit().await.unwrap();
}

async fn names(app: &TestApp, id: i64) -> Vec<String> {
    let mut found = installations::repositories(app.app.base.store().reader(), id).await.unwrap();
    found.sort();
    found.iter().map(|repository| repository.name().to_owned()).collect()
}

async fn organisation(app: &TestApp, slug: &str) -> OrganisationId {
    app.app.tenancy.create_organisation_as_operator(slug, None).await.unwrap().id
}

fn link(app: &TestApp, organisation_id: OrganisationId, installation_id: i64, seconds: u64) -> GithubLink {
    let (id, created_by) = (app.app.base.ambient().id(), UserId(Uuid::from_u128(7)));
    GithubLink { id, organisation_id, installation_id, created_by, created_at: after(app, seconds) }
}

async fn insert_link(app: &TestApp, link: &GithubLink) -> bool {
    let tx = begin(app).await;
    let inserted = links::insert(&tx, link).await.unwrap();
    tx.commit().await.unwrap();
    inserted
}

async fn subscribed(app: &TestApp, organisation_id: OrganisationId, channel: &str) -> (Route, Destination) {
    let tx = begin(app).await;
    let wanted = destination(app, organisation_id, channel);
    let destination = store::pipeline::destinations::ensure(&tx, &wanted).await.unwrap();
    let route = Route {
        id: app.app.base.ambient().id(),
        organisation_id,
        name: "ä \u{1f680}".to_owned(),
        sources: vec!["github".into()],
        types: vec!["github.*".into()],
        channel_id: None,
        condition: None,
        rule: Some(Rules { repositories: vec!["acme/*".into()], ..Rules::default() }.into_rule()),
        template: None,
        destination_id: destination.id,
        position: 0,
        enabled: true,
        disabled_reason: None,
        created_by: UserId(Uuid::from_u128(7)),
        created_at: app.now(),
        updated_at: app.now(),
    };
    routes::insert(&tx, &route).await.unwrap();
    tx.commit().await.unwrap();
    (route, destination)
}

both! {
    async fn of_an_installation_the_newest_counts(app) {
        assert_eq!(known(&app, 1).await, None);
        let second = installation(1, "acme", after(&app, 20));
        save(&app, &second).await;
        assert_eq!(known(&app, 1).await, Some(second.clone()), "as it went in");
        let record = installations::demand(app.app.base.store().reader(), 1).await.unwrap().id;
        save(&app, &installation(1, "older", after(&app, 19))).await;
        assert_eq!(known(&app, 1).await, Some(second.clone()));
        let same_second = GithubInstallation { suspended_at: Some(after(&app, 20)), events: Vec::new(), ..second };
        save(&app, &same_second).await;
        assert_eq!(known(&app, 1).await, Some(same_second));
        let newer = GithubInstallation { all_repositories: true, ..installation(1, "newer", after(&app, 21)) };
        save(&app, &newer).await;
        assert_eq!(known(&app, 1).await, Some(newer.clone()));
        let reader = app.app.base.store().reader();
        let stored = installations::find_by_record(reader, record.0).await.unwrap().unwrap();
        assert_eq!((stored.id, stored.installation), (record, newer), "the record keeps its id");
        assert_eq!(installations::find_by_record(reader, Uuid::nil()).await.unwrap(), None);
    }

    async fn a_deleted_installation_stays_deleted(app) {
        let tx = begin(&app).await;
        let never_seen = installation(1, "acme", app.now());
        installations::delete(&tx, app.app.base.ambient().id(), &never_seen, app.now()).await.unwrap();
        tx.commit().await.unwrap();
        save(&app, &installation(1, "acme", after(&app, 60))).await;
        assert_eq!(known(&app, 1).await, None);

        save(&app, &installation(2, "globex", after(&app, 60))).await;
        let record = installations::demand(app.app.base.store().reader(), 2).await.unwrap().id;
        let tx = begin(&app).await;
        let older = installation(2, "globex", app.now());
        for _ in 0..2 {
            installations::delete(&tx, app.app.base.ambient().id(), &older, app.now()).await.unwrap();
        }
        tx.commit().await.unwrap();
        assert_eq!(known(&app, 2).await, None, "independent of its time");
        assert_eq!(installations::find_by_record(app.app.base.store().reader(), record.0).await.unwrap(), None);
        let demanded = installations::demand(app.app.base.store().reader(), 2).await;
        assert!(matches!(demanded, Err(Error::NotFound { .. })), "{demanded:?}");
    }

    async fn an_account_is_renamed_wherever_it_stands(app) {
        let second = GithubInstallation { id: 3, ..installation(1, "acme", app.now()) };
        for installation in [&installation(1, "acme", app.now()), &installation(2, "globex", app.now()), &second] {
            save(&app, installation).await;
        }
        let tx = begin(&app).await;
        installations::rename_account(&tx, 1_001, "acme-corp", "https://github.example/x").await.unwrap();
        tx.commit().await.unwrap();
        let mut logins = Vec::new();
        for id in [1, 2, 3] {
            logins.push(known(&app, id).await.unwrap().account.login);
        }
        assert_eq!(logins, ["acme-corp", "globex", "acme-corp"]);
    }

    async fn of_a_repository_the_newest_counts(app) {
        for id in [1, 2] {
            save(&app, &installation(id, "acme", app.now())).await;
        }
        let (web, api) = (repository(11, "web"), repository(12, "api"));
        reported(&app, 1, &[web.clone(), api.clone()], false, after(&app, 10)).await;
        reported(&app, 2, std::slice::from_ref(&web), false, after(&app, 10)).await;
        reported(&app, 1, std::slice::from_ref(&web), true, after(&app, 9)).await;
        assert_eq!(names(&app, 1).await, ["web", "api"], "the removal was before");
        reported(&app, 1, std::slice::from_ref(&web), true, after(&app, 10)).await;
        assert_eq!((names(&app, 1).await, names(&app, 2).await), (vec!["api".to_owned()], vec!["web".to_owned()]));
        reported(&app, 1, &[repository(11, "renamed")], false, after(&app, 11)).await;
        assert_eq!(names(&app, 1).await, ["renamed", "api"]);
        reported(&app, 1, &[], true, after(&app, 12)).await;

        let reader = app.app.base.store().reader();
        reported(&app, 1, &[api], true, after(&app, 12)).await;
        for (installation, repository, removed) in [(1, 11, false), (1, 12, true), (1, 99, false), (2, 12, false)] {
            let is = installations::is_removed(reader, installation, repository).await.unwrap();
            assert_eq!(is, removed, "{installation} {repository}");
        }
    }

    async fn a_whole_list_takes_the_place_of_what_was_known_before(app) {
        for id in [1, 2] {
            save(&app, &installation(id, "acme", app.now())).await;
        }
        let many: Vec<_> = (0..300).map(|id| repository(id, &format!("r{id}"))).collect();
        reported(&app, 1, &many, false, after(&app, 10)).await;
        reported(&app, 2, &many[..1], false, after(&app, 10)).await;
        reported(&app, 1, &[repository(400, "later")], false, after(&app, 30)).await;
        reported(&app, 1, &[repository(401, "gone-later")], true, after(&app, 30)).await;
        let replace = async |list: &[GithubRepository], seconds: u64| {
            let tx = begin(&app).await;
            installations::replace_repositories(&tx, 1, list, after(&app, seconds)).await.unwrap();
            tx.commit().await.unwrap();
        };
        replace(&[repository(7, "r7"), repository(500, "new"), repository(401, "gone-later")], 20).await;
        assert_eq!(names(&app, 1).await, ["r7", "later", "new"], "later webhooks are newer than the list");
        assert_eq!(names(&app, 2).await, ["r0"]);
        replace(&many, 5).await;
        assert_eq!(names(&app, 1).await.len(), 3, "a list that was asked for long ago");
        replace(&[], 40).await;
        assert_eq!(names(&app, 1).await, [""; 0]);
        replace(&many, 50).await;
        assert_eq!(names(&app, 1).await.len(), 300);
    }

    async fn links_belong_to_their_organisation(app) {
        let (a, b) = (organisation(&app, "a").await, organisation(&app, "b").await);
        for id in [1, 2] {
            save(&app, &installation(id, "acme", app.now())).await;
        }
        let (late, early) = (link(&app, a, 1, 20), link(&app, b, 1, 10));
        assert!(insert_link(&app, &late).await && insert_link(&app, &early).await);
        assert!(!insert_link(&app, &link(&app, a, 1, 5)).await, "it is there");
        assert!(insert_link(&app, &link(&app, a, 2, 1)).await);
        let store = app.app.base.store();
        let reader = store.reader();
        assert_eq!(links::organisations(reader, 1).await.unwrap(), [b, a], "oldest first");
        assert_eq!(links::organisations(reader, 9).await.unwrap(), []);
        assert_eq!(links::find(reader, a, 1).await.unwrap(), Some(late.clone()));
        assert_eq!(links::find(reader, b, 2).await.unwrap(), None);
        let listed = links::list(reader, a).await.unwrap();
        assert_eq!(listed.iter().map(|(link, _)| link.installation_id).collect::<Vec<_>>(), [2, 1]);
        let record = installations::demand(reader, 1).await.unwrap().id;
        assert_eq!((&listed[1].0, listed[1].1.id), (&late, record));

        let tx = begin(&app).await;
        assert!(!links::delete(&tx, b, 2).await.unwrap());
        assert!(links::delete(&tx, b, 1).await.unwrap());
        assert!(!links::delete(&tx, b, 1).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(links::organisations(reader, 1).await.unwrap(), [a]);
        insert_link(&app, &early).await;
        let tx = begin(&app).await;
        let mut whose: Vec<_> =
            links::delete_all(&tx, 1).await.unwrap().into_iter().map(|link| link.organisation_id).collect();
        whose.sort_unstable();
        assert_eq!(whose, [a, b]);
        assert_eq!(links::delete_all(&tx, 1).await.unwrap(), []);
        tx.commit().await.unwrap();
        assert_eq!(links::list(reader, a).await.unwrap().len(), 1, "another installation's stays");
    }

    async fn an_organisation_links_once_whoever_is_quicker(app) {
        let a = organisation(&app, "a").await;
        save(&app, &installation(1, "acme", app.now())).await;
        let links: Vec<_> = (0..8).map(|_| link(&app, a, 1, 0)).collect();
        let inserted = join_all(links.iter().map(|link| insert_link(&app, link))).await;
        assert_eq!(inserted.iter().filter(|inserted| **inserted).count(), 1);
        assert_eq!(links::organisations(app.app.base.store().reader(), 1).await.unwrap(), [a]);
    }

    async fn a_proof_is_a_members_and_ends(app) {
        let a = organisation(&app, "a").await;
        let mut members: Vec<MemberId> = Vec::new();
        let tx = begin(&app).await;
        for name in ["ann", "bo"] {
            let member = Member {
                id: app.app.base.ambient().id(),
                organisation_id: a,
                user_id: app.app.base.ambient().id(),
                username: name.into(),
                email: None,
                subject: None,
                unproven: Default::default(),
                role: Role::Owner,
                permissions: None,
                created_at: app.now(),
            };
            store::tenancy::members::insert(&tx, &member).await.unwrap();
            members.push(member.id);
        }
        links::save_proof(&tx, members[0], 1, after(&app, 600)).await.unwrap();
        tx.commit().await.unwrap();
        let has = async |member: usize, installation: i64, seconds: u64| {
            let reader = app.app.base.store().reader();
            links::has_proof(reader, members[member], installation, after(&app, seconds)).await.unwrap()
        };
        assert!(has(0, 1, 0).await && has(0, 1, 599).await);
        assert!(!has(0, 1, 600).await && !has(0, 2, 0).await && !has(1, 1, 0).await);
        let tx = begin(&app).await;
        links::save_proof(&tx, members[0], 1, after(&app, 900)).await.unwrap();
        tx.commit().await.unwrap();
        assert!(has(0, 1, 899).await && !has(0, 1, 900).await, "a new proof takes its place");
        let tx = begin(&app).await;
        store::tenancy::members::delete(&tx, members[0]).await.unwrap();
        tx.commit().await.unwrap();
        assert!(!has(0, 1, 0).await);
    }

    async fn the_first_message_opens_a_thread(app) {
        let ids = due_destinations(&app, 2).await;
        let db = app.app.base.store().writer();
        let organisation_id = {
            let tx = begin(&app).await;
            let found = store::pipeline::destinations::of_kind(&tx, OrganisationId(Uuid::nil()), &SLACK).await;
            assert_eq!(found.unwrap(), [], "nobody's");
            OrganisationId(Uuid::from_u128(1))
        };
        let open = async |id: DestinationId, topic: &str, ts: &str| {
            threads::open(db, organisation_id, id, topic, ts, app.now()).await.unwrap();
        };
        let find = async |id: DestinationId, topic: &str| threads::find(db, id, topic).await.unwrap();
        assert_eq!(find(ids[0], "github/1/12").await, None);
        open(ids[0], "github/1/12", "1.1").await;
        open(ids[0], "github/1/12", "2.2").await;
        assert_eq!(find(ids[0], "github/1/12").await.as_deref(), Some("1.1"));
        assert_eq!(find(ids[1], "github/1/12").await, None, "another channel's");
        assert_eq!(find(ids[0], "github/1/1").await, None);
        let stamps: Vec<_> = (0..8).map(|number| format!("3.{number}")).collect();
        join_all(stamps.iter().map(|ts| open(ids[1], "github/1/12", ts))).await;
        let first = find(ids[1], "github/1/12").await.unwrap();
        assert!(stamps.contains(&first), "{first}");
    }

    async fn routes_are_found_with_where_they_send(app) {
        let [a, b, c] = [organisation(&app, "a").await, organisation(&app, "b").await, organisation(&app, "c").await];
        let first = subscribed(&app, a, "C1").await;
        let other = subscribed(&app, b, "C1").await;
        let second = subscribed(&app, a, "C2").await;
        let third = subscribed(&app, a, "C1").await;
        assert_ne!(first.1.id, other.1.id, "each organisation has its own");
        let tx = begin(&app).await;
        let kind = |one: &(Route, Destination)| (one.0.clone(), one.1.kind.clone());
        assert_eq!(
            routes::of_organisations(&tx, &[a, c]).await.unwrap(),
            [kind(&first), kind(&second), kind(&third)], "as they went in, oldest first"
        );
        assert_eq!(routes::of_organisations(&tx, &[a, b, c]).await.unwrap().len(), 4);
        assert_eq!(routes::of_organisations(&tx, &[c]).await.unwrap(), []);
        let of_channel = routes::of_destination(&tx, a, first.1.id).await.unwrap();
        assert_eq!(of_channel, [first.0.clone(), third.0.clone()]);
        assert_eq!(routes::of_destination(&tx, b, first.1.id).await.unwrap(), []);
        assert_eq!(routes::count(&tx, a).await.unwrap(), 3);
        for found in [
            routes::find(&tx, b, first.0.id).await, routes::find_for_update(&tx, b, first.0.id).await,
        ] {
            assert!(matches!(found, Err(Error::NotFound { .. })), "{found:?}");
        }
        let changed = Route { enabled: false, name: String::new(), rule: None, ..first.0.clone() };
        assert_eq!(routes::find_for_update(&tx, a, first.0.id).await.unwrap(), first.0);
        routes::update(&tx, &changed).await.unwrap();
        routes::delete(&tx, second.0.id).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(routes::find(app.app.base.store().reader(), a, first.0.id).await.unwrap(), changed);
        assert!(routes::find(app.app.base.store().reader(), a, second.0.id).await.is_err());
    }

    async fn workflows_are_kept_by_organisation_and_id(app) {
        let (a, b) = (organisation(&app, "a").await, organisation(&app, "b").await);
        let workflow = |id: &str, name: &str, seconds: u64| Workflow {
            id: id.to_owned(),
            name: name.to_owned(),
            summary: "Brings it out \u{1f680}".to_owned(),
            parameters: vec![WorkflowParameter {
                name: "where".into(), label: "Where to?".into(), required: true, default: Some("test".into()),
                description: String::new(),
            }],
            created_at: after(&app, seconds),
            updated_at: after(&app, seconds),
        };
        let put = async |organisation: OrganisationId, workflow: &Workflow| {
            let tx = begin(&app).await;
            workflows::put(&tx, organisation, workflow).await.unwrap();
            tx.commit().await.unwrap();
        };
        let reader = app.app.base.store().reader();
        for id in ["deploy", "Build", "_x", "a.b", "a-b"] {
            put(a, &workflow(id, "first", 0)).await;
        }
        put(b, &workflow("deploy", "theirs", 0)).await;
        assert_eq!(workflows::find(reader, a, "deploy").await.unwrap(), workflow("deploy", "first", 0));
        put(a, &Workflow { parameters: Vec::new(), ..workflow("deploy", "second", 9) }).await;
        let now = workflows::find(reader, a, "deploy").await.unwrap();
        assert_eq!((now.name.as_str(), now.parameters.len()), ("second", 0));
        assert_eq!((now.created_at, now.updated_at), (app.now(), after(&app, 9)));
        assert_eq!(workflows::find(reader, b, "deploy").await.unwrap().name, "theirs");
        let ids: Vec<_> = workflows::list(reader, a).await.unwrap().into_iter().map(|workflow| workflow.id).collect();
        assert_eq!(ids, ["Build", "_x", "a-b", "a.b", "deploy"], "in the same order on both databases");
        let tx = begin(&app).await;
        assert!(matches!(workflows::delete(&tx, b, "Build").await, Err(Error::NotFound { .. })));
        workflows::delete(&tx, a, "deploy").await.unwrap();
        assert!(matches!(workflows::delete(&tx, a, "deploy").await, Err(Error::NotFound { .. })));
        tx.commit().await.unwrap();
        assert!(workflows::find(reader, a, "deploy").await.is_err());
        assert_eq!(workflows::find(reader, b, "deploy").await.unwrap().name, "theirs");
    }

    async fn an_organisation_takes_everything_of_its_own_with_it(app) {
        let (a, b) = (organisation(&app, "a").await, organisation(&app, "b").await);
        save(&app, &installation(1, "acme", app.now())).await;
        for id in [a, b] {
            insert_link(&app, &link(&app, id, 1, 0)).await;
            subscribed(&app, id, "C1").await;
        }
        use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
        let gone = entity::organisation::Entity::delete_many().filter(entity::organisation::Column::Id.eq(a.0));
        gone.exec(app.app.base.store().writer()).await.unwrap();
        assert_eq!(links::organisations(app.app.base.store().reader(), 1).await.unwrap(), [b]);
        let tx = begin(&app).await;
        assert_eq!(routes::of_organisations(&tx, &[a, b]).await.unwrap().len(), 1);
        assert!(known(&app, 1).await.is_some(), "GitHub's data belongs to no organisation");
    }
}
