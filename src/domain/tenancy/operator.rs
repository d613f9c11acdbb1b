//! Operators: the people who run the service. They see facts about all organisations, and belong to none.
//!
//! Not here: the text of their tokens (`app::tenancy::credential`).

use super::token::Validity;
use crate::domain::{Error, ambient::Time, ids::OperatorTokenId};

/// Name of the permission that an organisation's credential lacks.
const PERMISSION: &str = "operator";

/// An operator, for the duration of one request or command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// The token; `None` for the command line, which is run beside the database.
    pub token_id: Option<OperatorTokenId>,
    /// Name of the token.
    pub name: String,
}

impl Operator {
    /// Returns the operator at the command line.
    pub fn at_command_line() -> Self {
        Self { token_id: None, name: "command line".to_owned() }
    }

    /// Returns the refusal of a valid credential that is an organisation's.
    pub fn required() -> Error {
        Error::Forbidden { permission: PERMISSION.to_owned() }
    }
}

/// A token of an operator, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorToken {
    /// Its identifier, which is part of its text.
    pub id: OperatorTokenId,
    /// Display name.
    pub name: String,
    /// Time of expiry.
    pub expires_at: Option<Time>,
    /// Time of the last use, cut to the minute so that it is written rarely.
    pub last_used_at: Option<Time>,
    /// Time of revocation.
    pub revoked_at: Option<Time>,
    /// Time of creation.
    pub created_at: Time,
}

impl OperatorToken {
    /// Returns the times that decide whether it opens anything.
    pub fn validity(&self) -> Validity {
        Validity { expires_at: self.expires_at, revoked_at: self.revoked_at }
    }

    /// Returns the operator who presents it.
    pub fn operator(&self) -> Operator {
        Operator { token_id: Some(self.id), name: self.name.clone() }
    }
}
