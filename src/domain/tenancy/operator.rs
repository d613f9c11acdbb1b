//! Operators: the people who run the service. They see facts about all organisations, and belong to none.
//!
//! Not here: the text of their tokens (`app::tenancy::credential`).

use crate::domain::{Error, Result, ambient::Time, error::AuthFailure, ids::OperatorTokenId};

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
    /// Demands that the token is neither revoked nor expired.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub fn require_valid(&self, now: Time) -> Result<()> {
        if self.revoked_at.is_some() {
            return Err(Error::Unauthenticated(AuthFailure::Revoked));
        }
        match self.expires_at {
            Some(end) if end <= now => Err(Error::Unauthenticated(AuthFailure::Expired)),
            _ => Ok(()),
        }
    }

    /// Returns the operator who presents it.
    pub fn operator(&self) -> Operator {
        Operator { token_id: Some(self.id), name: self.name.clone() }
    }
}
