//! Descriptors of apps: fetched from a tenant's address, parsed, and checked.
//!
//! Not here: the rules of a descriptor (`domain::apps`).

use std::time::Duration;

use bytes::Bytes;
use url::Url;

use super::Apps;
use crate::{
    app::Caller,
    domain::{
        Error, Result,
        apps::descriptor::{Descriptor, Finding, MAX_BYTES, Severity, rule},
        error::Violation,
        tenancy::member::Permission,
    },
    provider::guard::{Failure, HeaderMap, Method, Outgoing},
};

/// Time limit of fetching a descriptor.
const FETCH_LIMIT: Duration = Duration::from_secs(10);

/// Source of a descriptor to be checked.
#[derive(Clone, Debug)]
pub enum DescriptorSource {
    /// Document at an address.
    Url(String),
    /// The document itself.
    Text(String),
}

/// Reason of a missing descriptor.
#[derive(Debug)]
pub(in crate::app) enum NoDescriptor {
    /// The descriptor's address, or one that it names, is refused by the egress guard or leads back to this service.
    Refused(Error),
    /// The address serves nothing readable, or no valid descriptor.
    Unreadable(Error),
}

impl From<NoDescriptor> for Error {
    fn from(why: NoDescriptor) -> Self {
        match why {
            NoDescriptor::Refused(error) | NoDescriptor::Unreadable(error) => error,
        }
    }
}

impl Apps {
    /// Lists all errors and warnings of a descriptor, errors first. Nothing is stored.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`] where the address is refused or serves nothing readable.
    pub async fn lint_descriptor(&self, caller: &Caller, source: DescriptorSource) -> Result<Vec<Finding>> {
        caller.require(Permission::IntegrationsManage)?;
        let (body, url) = match source {
            DescriptorSource::Url(url) => (self.fetch_document(&url, "/url").await?, Url::parse(&url).ok()),
            DescriptorSource::Text(text) => (text.into_bytes(), None),
        };
        let mut findings = Descriptor::lint(&body);
        if let Ok((descriptor, _)) = Descriptor::read(&body) {
            findings.extend(descriptor.lint_addresses(&self.base.public_url, url.as_ref()));
            for (path, url) in descriptor.urls() {
                if let Err(refusal) = self.guard.check(url) {
                    let (severity, message) = (Severity::Error, refusal.to_string());
                    findings.push(Finding { severity, path, place: None, rule: "url-refused", message });
                }
            }
        }
        findings.sort_by_key(|finding| finding.severity != Severity::Error);
        Ok(findings)
    }

    /// Fetches a descriptor, and demands that it is valid and that its addresses may be called.
    ///
    /// # Errors
    /// [`NoDescriptor`], with [`Error::Invalid`] of `field` and all violations.
    pub(in crate::app) async fn fetch_descriptor(&self, url: &str, field: &str) -> Result<Descriptor, NoDescriptor> {
        let body = self.fetch_document(url, field).await?;
        let (descriptor, _) = Descriptor::read(&body).map_err(|findings| {
            let error = refused(field, &findings);
            let is_about_an_address =
                |finding: &Finding| finding.severity == Severity::Error && finding.rule == rule::URL;
            match findings.iter().any(is_about_an_address) {
                true => NoDescriptor::Refused(error),
                false => NoDescriptor::Unreadable(error),
            }
        })?;
        self.check_called(&descriptor, field).map_err(NoDescriptor::Refused)?;
        Ok(descriptor)
    }

    /// Demands that its addresses may be called, and do not lead back to this service.
    ///
    /// # Errors
    /// [`Error::Invalid`] of `field`.
    pub(in crate::app) fn check_called(&self, descriptor: &Descriptor, field: &str) -> Result<()> {
        self.check_addresses(descriptor, field)?;
        let loops = descriptor.lint_addresses(&self.base.public_url, None);
        if loops.is_empty() { Ok(()) } else { Err(refused(field, &loops)) }
    }

    fn check_addresses(&self, descriptor: &Descriptor, field: &str) -> Result<()> {
        let refusals: Vec<Violation> = descriptor
            .urls()
            .into_iter()
            .filter_map(|(path, url)| {
                let refusal = self.guard.check(url).err()?;
                Some(Violation { field: field.to_owned(), message: format!("its {path} {refusal}") })
            })
            .collect();
        if refusals.is_empty() { Ok(()) } else { Err(Error::Invalid(refusals)) }
    }

    /// Fetches the document at a tenant's address: any success status is accepted, and no redirect is followed.
    async fn fetch_document(&self, url: &str, field: &str) -> Result<Vec<u8>, NoDescriptor> {
        let wrong = |message: String| NoDescriptor::Unreadable(Error::invalid(field, message));
        let request =
            Outgoing { method: Method::GET, url: url.to_owned(), headers: HeaderMap::new(), body: Bytes::new() };
        let answer = match self.guard.send(request, FETCH_LIMIT, MAX_BYTES).await {
            Ok(answer) => answer,
            Err(Failure::Refused(refusal)) => return Err(NoDescriptor::Refused(refusal.into_error(field))),
            Err(Failure::Unreachable(reason)) => return Err(wrong(format!("could not be read: {reason}"))),
        };
        if !(200..300).contains(&answer.status) {
            return Err(wrong(format!("answers with the status {}; a descriptor comes with a success", answer.status)));
        }
        match answer.incomplete {
            None => Ok(answer.body),
            Some(reason) => Err(wrong(format!("could not be read to its end: {reason}"))),
        }
    }
}

/// Returns the errors of a document as violations of one field.
fn refused(field: &str, findings: &[Finding]) -> Error {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    Error::Invalid(errors.map(|finding| Violation { field: field.to_owned(), message: finding.to_string() }).collect())
}
