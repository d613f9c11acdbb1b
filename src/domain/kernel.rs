//! Types that every room uses: identifiers, errors, time and randomness, pages, secrets.
//!
//! Not here: anything that belongs to a room.

pub mod ambient;
pub mod error;
pub mod ids;
pub mod page;
pub mod product;
pub mod rate_limit;
pub mod search;
pub mod secret;
pub mod trace;
