//! A body, and whether an adapter changed it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::object::Object;
use crate::{Error, Result};

/// The body of a message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    bytes: Option<Vec<u8>>,
    changed: bool,
}

impl Body {
    /// A body as the host gave it.
    pub(crate) fn given(bytes: Option<Vec<u8>>) -> Self {
        Self { bytes, changed: false }
    }

    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }

    pub(crate) fn set(&mut self, bytes: Vec<u8>) {
        *self = Self { bytes: Some(bytes), changed: true };
    }

    /// The body as JSON; `of` names the message in errors.
    pub(crate) fn json<T: DeserializeOwned>(&self, of: &str) -> Result<T> {
        let bytes = self.bytes().ok_or_else(|| {
            Error::bad_message(format!("the {of} has no body, or adapters are not shown it"))
        })?;
        serde_json::from_slice(bytes)
            .map_err(|error| Error::bad_message(format!("the {of}'s body: {error}")))
    }

    pub(crate) fn set_json(&mut self, value: &impl Serialize) -> Result<()> {
        self.set(serde_json::to_vec(value)?);
        Ok(())
    }

    /// One field of the object; missing and `null` are the same, as they are to the Docker Engine.
    pub(crate) fn field<T: DeserializeOwned>(&self, of: &str, name: &str) -> Result<Option<T>> {
        let object: Object = self.json(of)?;
        let Some(field) = object.get(name) else { return Ok(None) };
        let field = serde_json::from_str(field.get());
        field.map_err(|error| Error::bad_message(format!("the {of}'s {name}: {error}")))
    }

    pub(crate) fn set_field(&mut self, of: &str, name: &str, value: &impl Serialize) -> Result<()> {
        let mut object: Object = self.json(of)?;
        object.set(name, serde_json::value::to_raw_value(value)?);
        self.set_json(&object)
    }

    pub(crate) fn is_changed(&self) -> bool {
        self.changed
    }

    /// The new body, if it was changed.
    pub(crate) fn into_change(self) -> Option<Vec<u8>> {
        self.bytes.filter(|_| self.changed)
    }

    /// The bytes, changed or not.
    pub(crate) fn into_bytes(self) -> Option<Vec<u8>> {
        self.bytes
    }
}
