//! The product that Tieline stands behind: its name, and where its pages are.

use url::Url;

/// What members know it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its name.
    pub name: String,
    /// Where members work with it, if there is such a place.
    pub app_url: Option<Url>,
    /// Its documentation, if it has any.
    pub docs_url: Option<Url>,
}
