//! A body, and whether an adapter changed it.

use std::cell::RefCell;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::object::Place;
use crate::{Error, Result};

/// The body of a message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    bytes: Option<Vec<u8>>,
    changed: bool,
    /// The field that was looked for last: whoever sets a field has mostly read it before.
    found: RefCell<Option<(String, Place)>>,
}

impl Body {
    /// A body as the host gave it.
    pub(crate) fn given(bytes: Option<Vec<u8>>) -> Self {
        Self { bytes, ..Self::default() }
    }

    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }

    pub(crate) fn set(&mut self, bytes: Vec<u8>) {
        *self = Self { bytes: Some(bytes), changed: true, found: RefCell::default() };
    }

    /// The body as JSON; `of` names the message in errors.
    pub(crate) fn json<T: DeserializeOwned>(&self, of: &str) -> Result<T> {
        serde_json::from_slice(self.some(of)?).map_err(|error| malformed(of, &error))
    }

    fn some(&self, of: &str) -> Result<&[u8]> {
        self.bytes().ok_or_else(|| {
            Error::bad_message(format!("the {of} has no body, or adapters are not shown it"))
        })
    }

    pub(crate) fn set_json(&mut self, value: &impl Serialize) -> Result<()> {
        self.set(serde_json::to_vec(value)?);
        Ok(())
    }

    /// One field of the object; missing and `null` are the same, as they are to the Docker Engine.
    pub(crate) fn field<T: DeserializeOwned>(&self, of: &str, name: &str) -> Result<Option<T>> {
        let Place::Value(place) = self.place(of, name)? else { return Ok(None) };
        let field = serde_json::from_slice(&self.some(of)?[place]);
        field.map_err(|error| Error::bad_message(format!("the {of}'s {name}: {error}")))
    }

    pub(crate) fn set_field(&mut self, of: &str, name: &str, value: &impl Serialize) -> Result<()> {
        let place = self.place(of, name)?;
        let value = serde_json::to_vec(value)?;
        self.set(place.replace(self.some(of)?, name, &value)?);
        Ok(())
    }

    /// Where a field of the object is.
    fn place(&self, of: &str, name: &str) -> Result<Place> {
        if let Some((known, place)) = &*self.found.borrow()
            && known == name
        {
            return Ok(place.clone());
        }
        let place = Place::find(self.some(of)?, name).map_err(|error| malformed(of, &error))?;
        *self.found.borrow_mut() = Some((name.to_owned(), place.clone()));
        Ok(place)
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

fn malformed(of: &str, error: &serde_json::Error) -> Error {
    Error::bad_message(format!("the {of}'s body: {error}"))
}
