//! Classification of database errors: the state of the connection afterwards, and the fault reported to a caller.
//!
//! Sources: SQLite, "Result and Error Codes"; PostgreSQL, appendix A, "PostgreSQL Error Codes". Not here: the reaction
//! to a fault (`db`, `breaker`).

use std::io;

use sqlx::Error;

use crate::domain::error::StorageFault;

/// State of a connection after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Aftermath {
    /// The database refused the statement and nothing else: a constraint, a lock, a slow statement that it cancelled.
    Sound,
    /// The connection is closed: its state is unknown.
    Broken,
    /// The database itself does not answer; other connections to it are not trusted either.
    Down,
}

/// Returns the error of a statement that was not answered before its deadline.
pub(in crate::store) fn deadline_exceeded() -> Error {
    Error::Io(io::Error::new(io::ErrorKind::TimedOut, "no answer before the deadline of the statement"))
}

pub(in crate::store) fn aftermath(error: &Error) -> Aftermath {
    match error {
        Error::Io(_) | Error::Tls(_) | Error::PoolTimedOut | Error::WorkerCrashed => Aftermath::Down,
        Error::Database(_) => match (code(error), storage_fault(error)) {
            // A violated constraint, and a mistake in the program, leave the connection as it was.
            (Code::Sqlite(19) | Code::Sqlite(1) | Code::Sqlite(20), _) => Aftermath::Sound,
            (Code::Sqlite(_), _) => Aftermath::Broken,
            (_, Some(StorageFault::Unreachable)) => Aftermath::Down,
            (_, Some(StorageFault::Contended | StorageFault::Slow) | None) => Aftermath::Sound,
            (_, Some(_)) => Aftermath::Broken,
        },
        // Unreadable values, and wrong calls.
        Error::RowNotFound | Error::ColumnDecode { .. } | Error::Decode(_) | Error::Encode(_) => Aftermath::Sound,
        _ => Aftermath::Broken,
    }
}

/// Returns the fault behind an error; `None` if the statement itself is to blame.
pub(in crate::store) fn storage_fault(error: &Error) -> Option<StorageFault> {
    match error {
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) => Some(StorageFault::Unreachable),
        Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => Some(StorageFault::Unreachable),
        Error::Database(_) => match code(error) {
            Code::Sqlite(primary) => sqlite(primary),
            Code::Postgres(state) => postgres(&state),
            Code::None => None,
        },
        _ => None,
    }
}

enum Code {
    /// A primary result code.
    Sqlite(i32),
    /// A SQLSTATE.
    Postgres(String),
    None,
}

fn code(error: &Error) -> Code {
    let Error::Database(database) = error else { return Code::None };
    let Some(code) = database.code() else { return Code::None };
    // A SQLSTATE has five characters, and an extended result code of SQLite its primary code in the lowest byte.
    match code.parse::<i32>() {
        Ok(extended) if database.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() => {
            Code::Sqlite(extended & 0xff)
        }
        _ => Code::Postgres(code.into_owned()),
    }
}

fn sqlite(primary: i32) -> Option<StorageFault> {
    match primary {
        // BUSY, LOCKED
        5 | 6 => Some(StorageFault::Contended),
        // FULL
        13 => Some(StorageFault::Full),
        // PERM, NOMEM, READONLY, INTERRUPT, IOERR, CANTOPEN, PROTOCOL
        3 | 7 | 8 | 9 | 10 | 14 | 15 => Some(StorageFault::Unwritable),
        // CORRUPT, NOTADB
        11 | 26 => Some(StorageFault::Damaged),
        _ => None,
    }
}

fn postgres(state: &str) -> Option<StorageFault> {
    match state {
        // serialization_failure, deadlock_detected, lock_not_available
        "40001" | "40P01" | "55P03" => Some(StorageFault::Contended),
        // query_canceled: by the server's statement_timeout
        "57014" => Some(StorageFault::Slow),
        "53100" => Some(StorageFault::Full),
        // read_only_sql_transaction: a standby, as after a failover; io_error
        "25006" | "58030" => Some(StorageFault::Unwritable),
        // data_corrupted, index_corrupted
        "XX001" | "XX002" => Some(StorageFault::Damaged),
        // connection_exception, insufficient_resources
        state if state.starts_with("08") || state.starts_with("53") => Some(StorageFault::Unreachable),
        // admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped, idle_session_timeout
        state if state.starts_with("57P") => Some(StorageFault::Unreachable),
        // idle_in_transaction_session_timeout
        "25P03" => Some(StorageFault::Unreachable),
        _ => None,
    }
}
