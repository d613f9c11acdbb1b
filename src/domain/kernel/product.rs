//! The product that Tieline stands behind: its name, and the addresses of its pages.
//!
//! Not here: Tieline's own address.

use url::Url;

/// The product, as its members know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its name.
    pub name: String,
    /// Address of its application, if any.
    pub app_url: Option<Url>,
    /// Address of its documentation, if any.
    pub docs_url: Option<Url>,
}
