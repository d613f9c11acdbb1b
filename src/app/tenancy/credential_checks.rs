//! Rate limit of wrong credentials, by client. Valid ones are not counted.
//!
//! Not here: signatures of providers. Anybody can make a provider send requests with a wrong signature from the
//! provider's own addresses, and would have its valid requests refused with them.

use std::{future::Future, net::IpAddr, time::Duration};

use moka::future::Cache;
use uuid::Uuid;

use super::{Tenancy, credential::sha256};
use crate::{
    app::kernel::throttle::Throttle,
    domain::{Result, rate_limit::RateLimit},
};

/// Time for which a valid credential is exempt from its client's rate limit.
const GOOD_LIFETIME: Duration = Duration::from_secs(3600);
const GOOD_CREDENTIALS: u64 = 50_000;

/// Wrong credentials of each client, and credentials that were recently valid.
pub struct CredentialChecks {
    wrong: Throttle,
    good: Cache<[u8; 32], ()>,
}

impl CredentialChecks {
    /// Allows each client this many wrong credentials a minute.
    pub fn new(wrong_per_minute: u32) -> Self {
        let wrong = RateLimit { interval: Duration::from_secs(60) / wrong_per_minute.max(1), burst: wrong_per_minute };
        let good = Cache::builder().max_capacity(GOOD_CREDENTIALS).time_to_live(GOOD_LIFETIME).build();
        Self { wrong: Throttle::new(wrong), good }
    }
}

impl Tenancy {
    /// Checks a credential of a client. A rate limited client's credential is refused without a look-up, unless it was
    /// recently valid, so that others behind the same address go on.
    ///
    /// # Errors
    /// [`Error::RateLimited`], and those of `check`.
    pub async fn check_credential<T>(
        &self,
        client: Option<IpAddr>,
        credential: &[&str],
        check: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let Some(client) = client else { return check.await };
        let CredentialChecks { wrong, good } = &*self.credential_checks;
        let (key, now, hash) = (key(client), self.base.now(), sha256(credential.join(" ").as_bytes()));
        let known = good.contains_key(&hash);
        if !known {
            wrong.demand_room(key, now).inspect_err(|_| self.base.metrics.refusal("wrong_credentials"))?;
        }
        let outcome = check.await;
        match &outcome {
            Ok(_) if !known => good.insert(hash, ()).await,
            Err(error) if error.is_wrong_credential() => {
                good.invalidate(&hash).await;
                wrong.admit(key, now).inspect_err(|_| self.base.metrics.refusal("wrong_credentials"))?;
                if wrong.room(key, now).remaining == 0 {
                    tracing::warn!(%client, "wrong credentials rate limited; further ones are refused for a while");
                }
            }
            Ok(_) | Err(_) => {}
        }
        outcome
    }
}

fn key(client: IpAddr) -> Uuid {
    let address = match client {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    Uuid::from_u128(address.to_bits())
}
