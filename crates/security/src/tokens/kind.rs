use biscuit::jwa::SignatureAlgorithm;
use biscuit::jws::{Compact, RegisteredHeader, Secret as Key};
use biscuit::{CompactJson, Empty};
use tenantry_ports::{Secret, TokenError};

use crate::MasterKey;
use crate::master_key::name_of;

/// No token of ours comes near this; longer texts are not looked at.
const LONGEST: usize = 4096;
const ALGORITHM: SignatureAlgorithm = SignatureAlgorithm::HS256;

/// Whether a kind's header says which key signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    /// Only algorithm and type.
    Plain,
    /// Also `kid`, the key's name.
    NamesKey,
}

/// One kind of token: its header and its keys, the first of which signs.
pub(super) struct Kind {
    label: &'static str,
    typ: &'static str,
    /// What their type was called in versions before this one.
    former_typ: Option<&'static str>,
    header: Header,
    keys: Vec<NamedKey>,
}

struct NamedKey {
    kid: Option<String>,
    key: Key,
}

impl Kind {
    /// Keys of this kind are derived under `label`.
    pub(super) fn new(master: &MasterKey, label: &'static str, typ: &'static str, header: Header) -> Self {
        let mut kind = Self { label, typ, former_typ: None, header, keys: Vec::new() };
        kind.accept(master);
        kind
    }

    /// Accepts tokens whose type is called like this, too; none is made.
    pub(super) fn formerly(self, typ: &'static str) -> Self {
        Self { former_typ: Some(typ), ..self }
    }

    /// Accepts what was signed under a key of `master` too.
    pub(super) fn accept(&mut self, master: &MasterKey) {
        let key = master.derive(self.label);
        let kid = (self.header == Header::NamesKey).then(|| name_of(&key));
        self.keys.push(NamedKey { kid, key: Key::Bytes(key.to_vec()) });
    }

    pub(super) fn sign<C: CompactJson>(&self, claims: C) -> Secret {
        let signer = &self.keys[0];
        let header = RegisteredHeader {
            algorithm: ALGORITHM,
            media_type: Some(self.typ.to_owned()),
            key_id: signer.kid.clone(),
            ..RegisteredHeader::default()
        };
        let token = Compact::<C, Empty>::new_decoded(header.into(), claims)
            .into_encoded(&signer.key)
            .expect("HS256 signs with a key of bytes, and claims are plain JSON");
        Secret::new(token.unwrap_encoded().to_string())
    }

    /// The claims, if a key of this kind signed them in a header of this kind. Whether they hold, is for the claims
    /// to say.
    ///
    /// biscuit checks the signature before it reads anything else, so what is parsed after that was written by a
    /// holder of the key; and what it panics on (times out of range) it never sees, since claims keep times as plain
    /// integers.
    pub(super) fn read<C: CompactJson>(&self, token: &str) -> Result<C, TokenError> {
        if !well_formed(token) {
            return Err(TokenError);
        }
        let encoded = Compact::<C, Empty>::new_encoded(token);
        for NamedKey { kid, key } in &self.keys {
            if let Ok(decoded) = encoded.decode(key, ALGORITHM) {
                let (header, claims) = decoded.unwrap_decoded();
                let ours = |typ: &str| RegisteredHeader {
                    algorithm: ALGORITHM,
                    media_type: Some(typ.to_owned()),
                    key_id: kid.clone(),
                    ..RegisteredHeader::default()
                };
                let mut types = [Some(self.typ), self.former_typ].into_iter().flatten();
                let known = types.any(|typ| header.registered == ours(typ));
                return if known { Ok(claims) } else { Err(TokenError) };
            }
        }
        Err(TokenError)
    }
}

/// Three non-empty segments of base64url, and not too long.
pub(super) fn well_formed(token: &str) -> bool {
    token.len() <= LONGEST
        && token.bytes().filter(|byte| *byte == b'.').count() == 2
        && token.split('.').all(|segment| {
            !segment.is_empty()
                && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
}
