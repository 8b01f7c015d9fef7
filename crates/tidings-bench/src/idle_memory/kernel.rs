//! The memory that the kernel holds for connections.

use std::fs;

use anyhow::Context as _;

/// Memory of the kernel.
pub(super) struct Kernel {
    pub(super) slab_bytes: u64,
    pub(super) tcp_bytes: u64,
}

impl Kernel {
    pub(super) fn now() -> anyhow::Result<Self> {
        let meminfo = fs::read_to_string("/proc/meminfo").context("could not read meminfo")?;
        let slab = meminfo
            .lines()
            .find_map(|line| line.strip_prefix("Slab:")?.trim().strip_suffix(" kB"))
            .context("meminfo does not tell the slabs")?;
        let sockets =
            fs::read_to_string("/proc/net/sockstat").context("could not read sockstat")?;
        let pages = sockets
            .lines()
            .find_map(|line| {
                line.strip_prefix("TCP:")?
                    .split_once(" mem ")
                    .map(|(_, n)| n)
            })
            .context("sockstat does not tell the memory of TCP")?;
        let page = u64::try_from(rustix::param::page_size())?;
        Ok(Self {
            slab_bytes: slab.parse::<u64>()? * 1024,
            tcp_bytes: pages.trim().parse::<u64>()? * page,
        })
    }
}
