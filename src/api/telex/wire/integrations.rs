//! Integrations. The product shows the same thing in four ways, and so do we.

use std::borrow::Cow;

use poem_openapi::{
    Object,
    registry::{MetaSchema, MetaSchemaRef},
    types::{Example, ParseError, ParseFromJSON, ParseResult, ToJSON, Type},
};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    api::shared::time::Timestamp,
    app::apps::installations::{InstalledIntegration, IntegrationChange, NewIntegration},
    domain::secret::Secret,
};

/// A JSON object of somebody else's.
#[derive(Clone, Debug)]
pub struct AnyObject(pub Map<String, Value>);

impl Type for AnyObject {
    const IS_REQUIRED: bool = true;

    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "object".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new("object")))
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self::RawElementValueType> + 'a> {
        Box::new(self.as_raw_value().into_iter())
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

/// An integration as it is answered when it is created.
#[derive(Clone, Debug, Object)]
#[oai(rename = "InstalledIntegration")]
pub struct InstalledOut {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// Where its JSON document is.
    pub json_url: String,
    /// The JSON schema of its events; empty where its document has none.
    pub json_schema: AnyObject,
    /// Its credential: masked for who may not see secrets, and empty where it has none.
    pub auth_credential: String,
    /// Its type, such as `modifier`; empty where nobody said.
    pub integration_type: String,
    /// Whether it came with the service.
    pub is_system_integration: bool,
    /// When it was created.
    pub created_at: Timestamp,
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
        }
    }
}

/// An integration as it is answered when it is changed or deleted.
#[derive(Clone, Debug, Object)]
#[oai(rename = "OrganisationIntegration")]
pub struct IntegrationOut {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// Where its JSON document is.
    pub json_url: String,
    /// Its credential: masked for who may not see secrets, and empty where it has none.
    pub auth_credential: String,
    /// Its type, such as `modifier`; empty where nobody said.
    pub integration_type: String,
    /// Whether it came with the service.
    pub is_system_integration: bool,
    /// When it was created.
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

/// An integration as it is listed: by what its document says of it.
#[derive(Clone, Debug, Object)]
#[oai(rename = "IntegrationApp")]
pub struct ListedOut {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub app_name: String,
    /// Where its JSON document is.
    pub json_url: String,
    /// Its page.
    pub app_url: String,
    /// Its logo.
    pub app_logo: String,
    /// What it does.
    pub app_description: String,
    /// Whether it came with the service.
    pub is_system_integration: bool,
    /// Whether it is switched on.
    pub is_active: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
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

/// A custom integration as it is listed.
#[derive(Clone, Debug, Object)]
#[oai(rename = "CustomIntegrationApp")]
pub struct CustomListedOut {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub app_name: String,
    /// Where its JSON document is.
    pub json_url: String,
    /// Its page.
    pub app_url: String,
    /// Its logo.
    pub app_logo: String,
    /// What it does.
    pub app_description: String,
    /// Whether it is switched on.
    pub is_active: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
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

/// An integration to be created. Other members are passed over.
#[derive(Clone, Object)]
#[oai(rename = "NewIntegration", example)]
pub struct IntegrationIn {
    /// What it is to be called.
    pub name: String,
    /// Where its JSON document is.
    pub json_url: String,
    /// A credential for it. Stored encrypted.
    pub auth_credential: Option<String>,
    /// Its type, such as `modifier`, `interval`, `output` or `filter`.
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

/// What to change in an integration; what is left out stays. Other members are passed over.
#[derive(Clone, Object)]
#[oai(rename = "IntegrationPatch", example)]
pub struct IntegrationPatch {
    /// Another name.
    pub name: Option<String>,
    /// Where its JSON document is.
    pub json_url: Option<String>,
    /// Another credential; an empty one takes it away.
    pub auth_credential: Option<String>,
    /// Another type.
    pub integration_type: Option<String>,
    /// On or off, everywhere. One that said that it is gone is called again when it is switched on.
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

/// The address of a custom integration. Other members are passed over.
#[derive(Clone, Debug, Object)]
#[oai(rename = "NewCustomIntegration", example)]
pub struct CustomIn {
    /// Where its JSON document is.
    pub json_url: String,
}

impl Example for CustomIn {
    fn example() -> Self {
        Self { json_url: "https://www.bananaisland.com/banana.json".into() }
    }
}
