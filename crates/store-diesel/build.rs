//! Has cargo notice new migrations, and gives the crate a fingerprint of the tenant schema: the name of the prepared
//! database that tenants are copied from on PostgreSQL.

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=../../migrations");
    let mut fingerprint = 0xcbf2_9ce4_8422_2325;
    let mut migrations: Vec<_> = fs::read_dir("../../migrations/tenant/postgres")?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()?;
    migrations.sort();
    for migration in migrations {
        digest(&mut fingerprint, &migration)?;
    }
    println!("cargo:rustc-env=TENANT_SCHEMA_FINGERPRINT={fingerprint:016x}");
    Ok(())
}

/// FNV-1a: stable between compilers, and nobody attacks their own migrations.
fn digest(fingerprint: &mut u64, migration: &Path) -> io::Result<()> {
    let name = migration.file_name().unwrap_or_default().as_encoded_bytes();
    for byte in name.iter().copied().chain(fs::read(migration.join("up.sql"))?) {
        *fingerprint = (*fingerprint ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    Ok(())
}
