//! Descriptors of integrations: fetched from where a tenant says, read, and looked over.

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

/// How long fetching a descriptor may take altogether.
const FETCH_LIMIT: Duration = Duration::from_secs(10);

/// What is to be looked over.
#[derive(Clone, Debug)]
pub enum DescriptorSource {
    /// What stands at an address.
    Url(String),
    /// A document as it is.
    Text(String),
}

/// Why there is no descriptor.
#[derive(Debug)]
pub(in crate::app) enum NoDescriptor {
    /// It, or what it names, is at an address that is not called.
    Refused(Error),
    /// Nothing that can be read is there, or it is no descriptor.
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
    /// Everything that is wrong or odd with a descriptor, errors first. Nothing is kept.
    ///
    /// # Errors
    /// [`Error::Forbidden`], [`Error::Invalid`] where the address is refused or leads to nothing that can be read.
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

    /// Fetches a descriptor and demands that it is one whose addresses may be called.
    ///
    /// # Errors
    /// [`NoDescriptor`], with [`Error::Invalid`] of `field` and everything that is wrong.
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

    /// Demands that its addresses may be called, and do not lead back here.
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

    /// What stands at an address of a tenant's: any success will do, and nothing is followed.
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

/// What is wrong with a document, as broken rules of one field.
fn refused(field: &str, findings: &[Finding]) -> Error {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    Error::Invalid(errors.map(|finding| Violation { field: field.to_owned(), message: finding.to_string() }).collect())
}
