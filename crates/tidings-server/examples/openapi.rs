//! Prints the OpenAPI document, which is kept in `docs/openapi.json`.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(tidings_server::openapi().as_bytes())
}
