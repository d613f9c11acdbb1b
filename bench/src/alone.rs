//! Tieline without upstreams: only its processes and those of its database. This process serves the servers that it
//! calls.

use std::path::Path;

use crate::{
    Result,
    database::Databases,
    process::{Program, Server},
    start,
    usage::Watched,
    world::{self, Key},
};

/// Everything that runs.
pub struct Alone {
    /// The measured server.
    pub tieline: Server,
    /// Name of its database.
    pub database: String,
    /// The owner of each organisation.
    pub owners: Vec<Key>,
    postmaster: Option<u32>,
    program: Program,
}

impl Alone {
    /// Starts it on a new database of that name, with this number of organisations and these settings.
    ///
    /// # Errors
    /// When any of that fails.
    pub async fn start(
        databases: &Databases,
        (name, home): (&str, &Path),
        organisations: usize,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let program = Program::beside("tieline", home)?.with("TIELINE_LISTEN", "127.0.0.1:0");
        let program = settings.iter().fold(program, |program, (key, value)| program.with(key, *value));
        let program = databases.fresh(&program, name, home).await?;
        let mut owners = Vec::with_capacity(organisations);
        for index in 0..organisations {
            owners.push(world::owner(&program, &world::slug(index)).await?);
        }
        let (tieline, _) = start::healthy(&program).await?;
        let (database, postmaster) = (databases.name().await?, databases.postmaster());
        Ok(Self { tieline, database, owners, postmaster, program })
    }

    /// Stops Tieline, does some work on its database, and starts it again, maybe at another address.
    ///
    /// # Errors
    /// When it does not stop or start, or the work fails.
    pub async fn while_stopped(self, work: impl Future<Output = Result<()>>) -> Result<Self> {
        self.tieline.terminate().await?;
        work.await?;
        let (tieline, _) = start::healthy(&self.program).await?;
        Ok(Self { tieline, ..self })
    }

    /// Processes whose processor time is read.
    pub fn watched(&self) -> Watched {
        Watched { server: self.tieline.pid, postmaster: self.postmaster, standin: None }
    }

    /// Reports progress.
    pub fn step(&self, what: &str) {
        eprintln!("bench: {}: {what}", self.database);
    }
}
