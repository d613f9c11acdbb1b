//! The program. Its commands are in `tieline::cli`.

use std::process::ExitCode;

// musl's own has one lock for all threads.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tieline::cli::main()
}
