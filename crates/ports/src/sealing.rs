use crate::Unopenable;

/// Seals what has to be read back and nobody else may read who has the database: under a key that is not in there, each value
/// for its place alone.
pub trait Sealing: Send + Sync {
    /// The first answer that is kept in this scope, sealed.
    fn seal_answer(&self, scope: &str, body: &[u8]) -> Vec<u8>;

    /// The answer that was sealed for this scope. Also opens what was sealed under a key that was replaced, while that is
    /// honoured.
    fn open_answer(&self, scope: &str, sealed: &[u8]) -> Result<Vec<u8>, Unopenable>;
}
