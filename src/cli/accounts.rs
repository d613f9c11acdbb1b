//! Organisations, members and tokens, for the operator.

use std::{collections::HashMap, str::FromStr};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    Failure,
    lists::{InOrganisation, every},
    output::{self, Choice},
};
use crate::{
    api::native::wire::{MemberOut, OperatorOrganisationOut, TokenOut},
    app::{
        Services,
        pipeline::operators::{OrganisationOrder, OrganisationsQuery},
        tenancy::{members::NewMember, organisations::Departure, tokens::NewToken},
    },
    domain::{
        Error,
        ambient::Time,
        error::Noun,
        tenancy::{
            member::Role,
            operator::{Operator, OperatorToken},
        },
    },
};

const ORGANISATION: &[(&str, &str)] = &[
    ("slug", "/slug"),
    ("name", "/name"),
    ("members", "/members"),
    ("destinations", "/destinations"),
    ("failing", "/failingDestinations"),
    ("events 24h", "/eventsLastDay"),
    ("pending", "/pending"),
];
const MEMBER: &[(&str, &str)] =
    &[("username", "/username"), ("role", "/role"), ("e-mail", "/email"), ("invited", "/invited"), ("user", "/userId")];
const TOKEN: &[(&str, &str)] = &[
    ("id", "/id"),
    ("name", "/name"),
    ("username", "/username"),
    ("expires", "/expiresAt"),
    ("last used", "/lastUsedAt"),
    ("revoked", "/revokedAt"),
];

/// Commands about organisations.
#[derive(Subcommand)]
pub enum Org {
    /// Create an organisation; prints it as one line of JSON.
    Create {
        /// Its slug, such as acme.
        slug: String,
        /// Its name; the slug by default.
        #[arg(long)]
        name: Option<String>,
    },
    /// List the organisations with counts, by their slugs.
    List {
        #[command(flatten)]
        choice: Choice,
    },
    /// Show an organisation with counts.
    Show {
        /// Its slug.
        slug: String,
        #[command(flatten)]
        choice: Choice,
    },
    /// Delete an organisation with everything it owns, permanently; prints it as one line of JSON.
    Delete {
        /// Its slug.
        slug: String,
    },
}

/// Commands about members.
#[derive(Subcommand)]
pub enum Members {
    /// List the members of an organisation.
    List {
        #[command(flatten)]
        within: InOrganisation,
        #[command(flatten)]
        choice: Choice,
    },
}

/// Commands about tokens.
#[derive(Subcommand)]
pub enum Token {
    /// Create a token for a member, who is created if missing, or with --operator for an operator of the service; prints
    /// it as one line of JSON, once.
    Create(CreateToken),
    /// List the tokens of an organisation's members.
    List {
        #[command(flatten)]
        within: InOrganisation,
        #[command(flatten)]
        choice: Choice,
    },
    /// List the tokens of operators; prints each as one line of JSON.
    Operators,
    /// Revoke a token, by its id or its text.
    Revoke {
        /// The id or the text.
        token: String,
    },
}

/// Arguments of a new token.
#[derive(Args)]
pub struct CreateToken {
    /// The organisation's slug.
    #[arg(long, required_unless_present = "operator", conflicts_with = "operator")]
    org: Option<String>,
    /// The member's username.
    #[arg(long, required_unless_present = "operator", conflicts_with = "operator")]
    user: Option<String>,
    /// The role of a created member: owner, admin or member.
    #[arg(long, default_value = "member")]
    role: String,
    /// The e-mail address of a created member.
    #[arg(long)]
    email: Option<String>,
    /// A token for an operator, which opens facts about all organisations and nothing of any of them.
    #[arg(long, requires = "name")]
    operator: bool,
    /// The name of the token.
    #[arg(long)]
    name: Option<String>,
    /// The time at which it expires, such as 2027-01-31T00:00:00Z, or the time until then, such as 90d or 12h.
    #[arg(long, value_parser = Moment::parse)]
    expires: Option<Moment>,
}

/// A time, or a distance from now.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// The time.
    At(Time),
    /// The distance.
    Distance(chrono::TimeDelta),
}

impl Moment {
    /// Parses a time, or a number of days or hours.
    ///
    /// # Errors
    /// The rule, as a text.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(time.to_utc()));
        }
        let duration = |unit: char, hours: i64| {
            let count = text.strip_suffix(unit)?.parse::<u16>().ok()?;
            chrono::TimeDelta::try_hours(i64::from(count) * hours).map(Self::Distance)
        };
        let wrong = || {
            "must be a time such as 2027-01-31T00:00:00Z, or a number of days or hours such as 90d or 12h".to_owned()
        };
        duration('d', 24).or_else(|| duration('h', 1)).ok_or_else(wrong)
    }

    /// Returns the time after `now`.
    pub fn after(self, now: Time) -> Time {
        match self {
            Self::At(time) => time,
            Self::Distance(distance) => now.checked_add_signed(distance).unwrap_or(Time::MAX_UTC),
        }
    }

    /// Returns the time before `now`.
    pub fn before(self, now: Time) -> Time {
        match self {
            Self::At(time) => time,
            Self::Distance(distance) => now.checked_sub_signed(distance).unwrap_or(Time::MIN_UTC),
        }
    }
}

/// Runs a command about organisations.
///
/// # Errors
/// As the service.
pub async fn run_org(command: Org, app: &Services) -> Result<(), Failure> {
    match command {
        Org::Create { slug, name } => {
            let organisation = app.tenancy.create_organisation_as_operator(&slug, name.as_deref()).await?;
            let shown = (organisation.id, organisation.slug.as_str(), &organisation.name);
            println!("{}", json!({"id": shown.0, "slug": shown.1, "name": shown.2}));
        }
        Org::List { choice } => {
            let listed = organisations(app, None).await?;
            output::print(choice.form(), ORGANISATION, &listed)?;
        }
        Org::Show { slug, choice } => {
            let mut listed = organisations(app, Some(slug.clone())).await?;
            listed.retain(|one| one["slug"] == slug.as_str());
            let shown = listed.first().ok_or_else(|| Error::not_found(Noun::Organisation, &slug))?;
            output::print_one(choice.form(), shown)?;
        }
        Org::Delete { slug } => {
            let departures: [&dyn Departure; 2] = [&*app.slack, &*app.registry];
            let organisation = app.tenancy.delete_organisation_as_operator(&slug, &departures).await?;
            println!("{}", json!({"id": organisation.id, "slug": organisation.slug.as_str(), "deleted": true}));
        }
    }
    Ok(())
}

/// Runs a command about members.
///
/// # Errors
/// As the service.
pub async fn run_members(Members::List { within, choice }: Members, app: &Services) -> Result<(), Failure> {
    let caller = within.caller(app).await?;
    let members = every(|page| app.tenancy.list_members(&caller, caller.organisation_id, page)).await?;
    let members: Vec<Value> = members.into_iter().map(|member| output::json(&MemberOut::from(member))).collect();
    Ok(output::print(choice.form(), MEMBER, &members)?)
}

/// Runs a command about tokens.
///
/// # Errors
/// As the service.
pub async fn run_token(command: Token, app: &Services) -> Result<(), Failure> {
    match command {
        Token::Create(create) => println!("{}", create.run(app).await?),
        Token::List { within, choice } => {
            let tokens = tokens(&within, app).await?;
            output::print(choice.form(), TOKEN, &tokens)?;
        }
        Token::Operators => {
            for token in app.tenancy.list_operator_tokens().await? {
                println!("{}", operator_token(&token));
            }
        }
        Token::Revoke { token } => {
            let id = app.tenancy.revoke_token_as_operator(&token).await?;
            println!("{}", json!({"token_id": id, "revoked": true}));
        }
    }
    Ok(())
}

impl CreateToken {
    /// Creates the token, and returns the line that shows it.
    async fn run(self, app: &Services) -> Result<Value, Failure> {
        let name = self.name.unwrap_or_else(|| "command line".into());
        let expires_at = self.expires.map(|moment| moment.after(app.base.ambient().now()));
        let (Some(org), Some(username)) = (self.org, self.user) else {
            let (token, text) = app.tenancy.create_operator_token(&name, expires_at).await?;
            return Ok(json!({"token": text.expose(), "token_id": token.id, "name": token.name}));
        };
        let role = Role::from_str(&self.role)?;
        let new = NewMember { user_id: None, username, email: self.email, subject: None, role };
        let member = app.tenancy.ensure_member_as_operator(&org, new).await?;
        let new = NewToken { name, scopes: Default::default(), expires_at };
        let (token, text) = app.tenancy.create_token_as_operator(&member, new).await?;
        Ok(json!({
            "token": text.expose(),
            "token_id": token.id,
            "user_id": token.user_id,
            "organisation_id": token.organisation_id,
        }))
    }
}

/// Lists the organisations whose slugs begin with `slug`, by their slugs.
async fn organisations(app: &Services, slug: Option<String>) -> Result<Vec<Value>, Failure> {
    let operator = Operator::at_command_line();
    let listed = every(|page| {
        let query = OrganisationsQuery { order: OrganisationOrder::Slug, slug: slug.clone(), page };
        app.pipeline.list_operator_organisations(&operator, query)
    });
    Ok(listed.await?.into_iter().map(|one| output::json(&OperatorOrganisationOut::from(one))).collect())
}

/// Lists the tokens of an organisation's members, each with the username.
async fn tokens(within: &InOrganisation, app: &Services) -> Result<Vec<Value>, Failure> {
    let caller = within.caller(app).await?;
    let members = every(|page| app.tenancy.list_members(&caller, caller.organisation_id, page)).await?;
    let names: HashMap<_, _> = members.into_iter().map(|member| (member.id, member.username)).collect();
    let tokens = every(|page| app.tenancy.list_tokens_as_operator(caller.organisation_id, page)).await?;
    let shown = tokens.into_iter().map(|token| {
        let username = names.get(&token.member_id).cloned();
        let mut shown = output::json(&TokenOut::from(token));
        shown["username"] = username.into();
        shown
    });
    Ok(shown.collect())
}

fn operator_token(token: &OperatorToken) -> Value {
    json!({
        "token_id": token.id,
        "name": token.name,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "revoked_at": token.revoked_at,
    })
}
