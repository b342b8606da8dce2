//! What machines' tokens are signed with: keys that are published before they sign, sign until their successor does, and
//! are accepted until the last token they signed has expired.

mod keyring;
mod rotate;

pub use self::keyring::{Keyring, published};
pub(crate) use self::keyring::{signer, verifier};
pub use self::rotate::{RotateError, Rotation, ensure, list, rotate};
