//! Checks of an installation and of a running service, for the operator.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde_json::{Value, json};

use super::{
    Failure,
    output::{self, Form, during},
};
use crate::{
    config::Config,
    provider::http,
    startup::doctor::{Check, State, examine},
};

const CHECK: &[(&str, &str)] = &[("check", "/check"), ("state", "/state"), ("found", "/found"), ("remedy", "/remedy")];

/// Runs every check and prints it.
///
/// # Errors
/// When one of them failed.
pub async fn run(config: &Config, form: Form) -> Result<(), Failure> {
    let checks = during("checking", examine(config)).await;
    match form {
        Form::Json => output::print(form, CHECK, &checks.iter().map(line).collect::<Vec<_>>())?,
        Form::Table => checks.iter().for_each(|check| print!("{}", paragraph(check))),
    }
    match checks.iter().filter(|check| check.state == State::Failed).count() {
        0 => Ok(()),
        failed => Err(format!("{failed} of {} checks failed", checks.len()).into()),
    }
}

fn line(check: &Check) -> Value {
    json!({"check": check.name, "state": check.state.as_str(), "found": check.found, "remedy": check.remedy})
}

fn paragraph(check: &Check) -> String {
    let first = format!("{:<8} {}: {}\n", check.state.as_str(), check.name, check.found);
    first + &check.remedy.as_ref().map(|remedy| format!("         -> {remedy}\n")).unwrap_or_default()
}

/// Asks the service that runs with these settings on this machine if it is ready.
///
/// # Errors
/// When it does not answer, or is not ready.
pub async fn check_health(config: &Config) -> Result<(), Failure> {
    let address = reached(config.admin_listen.unwrap_or(config.listen));
    let url = format!("http://{address}/readyz");
    let answer = http::client(&http::Limits::default())?.get(&url).send().await;
    let status = answer.map_err(|error| format!("{url} does not answer: {}", error.without_url()))?.status();
    match status.is_success() {
        true => Ok(()),
        false => Err(format!("{url} answers {status}").into()),
    }
}

/// Returns an address of this machine that a listener on `address` is reached at.
fn reached(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_every_address_is_reached_on_this_machine() {
        for (listened, expected) in
            [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("10.0.0.1:80", "10.0.0.1:80")]
        {
            assert_eq!(reached(listened.parse().unwrap()).to_string(), expected);
        }
    }
}
