//! Integrations. The product has four representations of an integration, and so has this dialect.

use std::borrow::Cow;

use poem_openapi::{
    Object,
    registry::{MetaSchema, MetaSchemaRef},
    types::{Example, ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    api::shared::{time::Timestamp, whole_value::whole_value},
    app::apps::installations::{InstalledIntegration, IntegrationChange, NewIntegration},
    domain::secret::Secret,
};

/// A JSON object of foreign content.
#[derive(Clone, Debug)]
pub struct AnyObject(pub Map<String, Value>);

impl Type for AnyObject {
    whole_value!();

    fn name() -> Cow<'static, str> {
        "object".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new("object")))
    }
}

impl ParseFromJSON for AnyObject {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value.unwrap_or_default() {
            Value::Object(object) => Ok(Self(object)),
            other => Err(ParseError::expected_type(other)),
        }
    }
}

impl ToJSON for AnyObject {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.clone().into())
    }
}

impl From<Value> for AnyObject {
    fn from(value: Value) -> Self {
        match value {
            Value::Object(object) => Self(object),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Self(Map::new()),
        }
    }
}

/// A newly created integration.
#[derive(Clone, Debug, Object)]
#[oai(rename = "InstalledIntegration", skip_serializing_if_is_none)]
pub struct InstalledOut {
    /// Unique id.
    pub id: Uuid,
    /// Name of the integration.
    pub name: String,
    /// Address of its JSON document.
    pub json_url: String,
    /// JSON schema of its events; empty if its document has none.
    pub json_schema: AnyObject,
    /// Its credential: masked for callers without the permission to see secrets, and empty if it has none.
    pub auth_credential: String,
    /// Type of the integration, such as `modifier`; empty if none was given.
    pub integration_type: String,
    /// True if it came with the service.
    pub is_system_integration: bool,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Warnings, such as of an unknown `integration_type`; absent if there are none.
    pub warnings: Option<Vec<String>>,
}

impl From<InstalledIntegration> for InstalledOut {
    fn from(found: InstalledIntegration) -> Self {
        Self {
            id: found.id.0,
            name: found.name,
            json_url: found.json_url,
            json_schema: found.json_schema.into(),
            auth_credential: found.auth_credential,
            integration_type: found.integration_type,
            is_system_integration: found.is_system_integration,
            created_at: found.created_at.into(),
            warnings: Some(found.warnings).filter(|warnings| !warnings.is_empty()),
        }
    }
}

/// A changed or deleted integration.
#[derive(Clone, Debug, Object)]
#[oai(rename = "OrganisationIntegration")]
pub struct IntegrationOut {
    /// Unique id.
    pub id: Uuid,
    /// Name of the integration.
    pub name: String,
    /// Address of its JSON document.
    pub json_url: String,
    /// Its credential: masked for callers without the permission to see secrets, and empty if it has none.
    pub auth_credential: String,
    /// Type of the integration, such as `modifier`; empty if none was given.
    pub integration_type: String,
    /// True if it came with the service.
    pub is_system_integration: bool,
    /// Time of creation.
    pub created_at: Timestamp,
}

impl From<InstalledIntegration> for IntegrationOut {
    fn from(found: InstalledIntegration) -> Self {
        Self {
            id: found.id.0,
            name: found.name,
            json_url: found.json_url,
            auth_credential: found.auth_credential,
            integration_type: found.integration_type,
            is_system_integration: found.is_system_integration,
            created_at: found.created_at.into(),
        }
    }
}

/// An integration in a list, described by its document.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IntegrationApp")]
pub struct ListedOut {
    /// Unique id.
    pub id: Uuid,
    /// Name of the integration.
    pub app_name: String,
    /// Address of its JSON document.
    pub json_url: String,
    /// Address of its page.
    pub app_url: String,
    /// Address of its logo.
    pub app_logo: String,
    /// Description of the integration.
    pub app_description: String,
    /// True if it came with the service.
    pub is_system_integration: bool,
    /// True if it is switched on.
    pub is_active: bool,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

impl From<InstalledIntegration> for ListedOut {
    fn from(found: InstalledIntegration) -> Self {
        Self {
            id: found.id.0,
            app_name: found.app_name,
            json_url: found.json_url,
            app_url: found.app_url,
            app_logo: found.app_logo,
            app_description: found.app_description,
            is_system_integration: found.is_system_integration,
            is_active: found.is_active,
            created_at: found.created_at.into(),
            updated_at: found.updated_at.into(),
        }
    }
}

/// A custom integration in a list.
#[derive(Clone, Debug, Object)]
#[oai(rename = "CustomIntegrationApp")]
pub struct CustomListedOut {
    /// Unique id.
    pub id: Uuid,
    /// Name of the integration.
    pub app_name: String,
    /// Address of its JSON document.
    pub json_url: String,
    /// Address of its page.
    pub app_url: String,
    /// Address of its logo.
    pub app_logo: String,
    /// Description of the integration.
    pub app_description: String,
    /// True if it is switched on.
    pub is_active: bool,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

impl From<InstalledIntegration> for CustomListedOut {
    fn from(found: InstalledIntegration) -> Self {
        Self {
            id: found.id.0,
            app_name: found.app_name,
            json_url: found.json_url,
            app_url: found.app_url,
            app_logo: found.app_logo,
            app_description: found.app_description,
            is_active: found.is_active,
            created_at: found.created_at.into(),
            updated_at: found.updated_at.into(),
        }
    }
}

/// An integration to be created. Other fields are ignored.
#[derive(Clone, Object)]
#[oai(rename = "NewIntegration", example)]
pub struct IntegrationIn {
    /// Name of the integration.
    pub name: String,
    /// Address of its JSON document.
    pub json_url: String,
    /// Credential for the integration. Stored encrypted.
    pub auth_credential: Option<String>,
    /// Type of the integration, such as `modifier`, `interval`, `output` or `filter`.
    pub integration_type: Option<String>,
}

impl From<IntegrationIn> for NewIntegration {
    fn from(new: IntegrationIn) -> Self {
        let IntegrationIn { name, json_url, auth_credential, integration_type } = new;
        Self { name, json_url, auth_credential: auth_credential.map(Secret::new), integration_type }
    }
}

impl Example for IntegrationIn {
    fn example() -> Self {
        Self {
            name: "teleximsss".into(),
            json_url: "https://www.telex.im".into(),
            auth_credential: Some("some-auth-credential".into()),
            integration_type: Some("filter".into()),
        }
    }
}

/// Changes to an integration; absent fields stay unchanged. Other fields are ignored.
#[derive(Clone, Object)]
#[oai(rename = "IntegrationPatch", example)]
pub struct IntegrationPatch {
    /// New name.
    pub name: Option<String>,
    /// Address of its JSON document.
    pub json_url: Option<String>,
    /// New credential; an empty value removes it.
    pub auth_credential: Option<String>,
    /// New type.
    pub integration_type: Option<String>,
    /// True to switch it on for the organisation, false to switch it off. Switching it on also resumes calls to an
    /// integration that answered 410 Gone.
    pub is_active: Option<bool>,
}

impl From<IntegrationPatch> for IntegrationChange {
    fn from(patch: IntegrationPatch) -> Self {
        let IntegrationPatch { name, json_url, auth_credential, integration_type, is_active: active } = patch;
        Self { name, json_url, auth_credential: auth_credential.map(Secret::new), integration_type, active }
    }
}

impl Example for IntegrationPatch {
    fn example() -> Self {
        Self {
            name: None,
            json_url: Some("some-very-weird-logo-url".into()),
            auth_credential: None,
            integration_type: None,
            is_active: None,
        }
    }
}

/// Address of a custom integration. Other fields are ignored.
#[derive(Clone, Debug, Object)]
#[oai(rename = "NewCustomIntegration", example)]
pub struct CustomIn {
    /// Address of its JSON document.
    pub json_url: String,
}

impl Example for CustomIn {
    fn example() -> Self {
        Self { json_url: "https://www.bananaisland.com/banana.json".into() }
    }
}
