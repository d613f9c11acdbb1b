//! Whether a JSON schema takes what another one took.
