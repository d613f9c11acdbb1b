//! The limit of open files: raised as far as the machine allows, and shared out between connections and the rest.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;

/// Limit that is requested at most: some machines promise a number that they refuse.
const MANY: u64 = 1 << 20;
/// Files of the process itself: listeners, logs, the runtime, the key.
const OWN: u64 = 64;
/// Files that one connection of the embedded database has open: the database, its log and their index.
const FILES_OF_A_DATABASE_CONNECTION: u64 = 3;

/// Raises the limit of open files as far as permitted, and returns the bound on client connections.
pub(super) fn connections(config: &Config) -> usize {
    let wanted = config.server.max_connections;
    let files = match raise() {
        Ok(files) => files,
        Err(error) => {
            tracing::warn!(%error, "cannot read or raise the limit of open files; server.max_connections is not adjusted");
            return wanted;
        }
    };
    let database = u64::from(config.database.max_connections) * FILES_OF_A_DATABASE_CONNECTION;
    let reserve = OWN + database + config.delivery.max_concurrent as u64;
    let bound = shared_out(files, reserve, wanted);
    if bound < wanted {
        tracing::warn!(
            files,
            reserve,
            bound,
            "server.max_connections is lowered to {bound}: the process may open {files} files and needs {reserve} for \
             itself; raise the limit (ulimit -n, LimitNOFILE=)"
        );
    }
    bound
}

/// Raises the limit to the hard one and returns it.
fn raise() -> rustix::io::Result<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let most = maximum.map_or(MANY, |maximum| maximum.min(MANY));
    let now = current.unwrap_or(MANY);
    if now < most {
        setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum })?;
    }
    Ok(now.max(most))
}

/// Files left for connections. Where there are too few for all demands, half of them.
fn shared_out(files: u64, reserve: u64, wanted: usize) -> usize {
    let left = files.saturating_sub(reserve).max(files / 2);
    wanted.min(usize::try_from(left).unwrap_or(usize::MAX)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_get_what_the_process_does_not_need() {
        for (files, wanted, bound) in
            [(20_000, 4096, 4096), (1_024, 4096, 674), (400, 4096, 200), (64, 4096, 32), (64, 10, 10), (1, 10, 1)]
        {
            assert_eq!(shared_out(files, 350, wanted), bound, "{files} files");
        }
    }
}
