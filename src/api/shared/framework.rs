//! Translates the framework's errors to faults. No text of the framework's reaches a caller unchanged.

use poem::error::{MethodNotAllowedError, NotFoundError, ReadBodyError};
use poem_openapi::error::{
    AuthorizationError, ContentTypeError, ParseParamError, ParsePathError, ParseRequestPayloadError,
};

use super::{
    body::reason,
    contract::PathContract,
    fault::{Fault, Protocol},
    media::{self, Media},
};
use crate::domain::{
    Error,
    error::{AuthFailure, Violation, clip},
};

/// Translates an error to a fault. `route` is the contract of the matched path, `path` the requested path itself.
pub fn fault(error: poem::Error, route: Option<&PathContract>, path: &str, authorised: bool) -> Fault {
    let error = match error.downcast::<Fault>() {
        Ok(fault) => return fault,
        Err(error) => error,
    };
    let not_found = || Protocol::RouteNotFound { path: clip(path).into_owned() };
    if let Some(ParseParamError { name, reason: why }) = error.downcast_ref() {
        return Protocol::Parameter { name: (*name).to_owned(), reason: reason(why) }.into();
    }
    if let Some(ParsePathError { name, reason: why }) = error.downcast_ref() {
        let name = route.map_or(*name, |route| route.parameter(name)).to_owned();
        return Protocol::Parameter { name, reason: reason(why) }.into();
    }
    if let Some(ParseRequestPayloadError { reason: why }) = error.downcast_ref() {
        let violation = Violation { field: String::new(), message: reason(why) };
        return Protocol::BodyViolations(vec![violation]).into();
    }
    if let Some(why) = error.downcast_ref::<ContentTypeError>() {
        let got = match why {
            ContentTypeError::NotSupported { content_type } => Some(clip(content_type).into_owned()),
            ContentTypeError::ExpectContentType => None,
        };
        return Protocol::UnsupportedMediaType { got, supported: media::listed(&[Media::Json]) }.into();
    }
    if error.is::<AuthorizationError>() {
        let why = if authorised { AuthFailure::Invalid } else { AuthFailure::Missing };
        return Error::Unauthenticated(why).into();
    }
    if error.is::<NotFoundError>() || error.is::<poem::error::ParsePathError>() {
        return not_found().into();
    }
    if error.is::<MethodNotAllowedError>() {
        let allow = route.map(|route| route.allow.clone()).unwrap_or_default();
        return Protocol::MethodNotAllowed { allow }.into();
    }
    match error.downcast_ref::<ReadBodyError>() {
        Some(ReadBodyError::Io(_) | ReadBodyError::Utf8(_)) => Protocol::UnreadableBody.into(),
        Some(ReadBodyError::BodyHasBeenTaken | ReadBodyError::PayloadTooLarge) | None => {
            Error::Internal(format!("an error that no dialect knows: {error}")).into()
        }
    }
}
