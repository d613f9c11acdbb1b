//! The program. Its commands are in `tieline::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tieline::cli::main()
}
