//! What a worker does, effect by effect.

/// What a worker is given to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// A tenant.
    Tenant,
    /// One with an admin.
    TenantWithAdmin,
    /// One whose database cannot get its name, because somebody else's has it.
    TenantWithoutName,
    /// The end of a tenant that is in service.
    End,
    /// More databases in the pool than there are.
    FullerPool,
    /// None in the pool.
    NoPool,
}

/// Everything that is done for one order, from the first effect to the last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Road {
    pub(super) order: Order,
    /// The effects by name, in order; those before a `|` are the beginning of another road, where processes are killed at
    /// them. One with a `!` is made to fail for good.
    plan: &'static str,
}

pub(super) const WITHOUT_A_POOL: [Road; 4] = [
    Road::of(Order::Tenant, "control create control migrate control tenant | control"),
    Road::of(Order::TenantWithAdmin, "control create control migrate control tenant control tenant control"),
    Road::of(Order::TenantWithoutName, "control | create control remove control"),
    // What failed is undone, which takes the writing down of one step less at a time.
    Road::of(
        Order::TenantWithAdmin,
        "control create control migrate control tenant control tenant! | control control control control remove control",
    ),
];

pub(super) const FROM_THE_POOL: [Road; 4] = [
    Road::of(Order::Tenant, "control adopt | control"),
    Road::of(Order::TenantWithAdmin, "control adopt control tenant control"),
    Road::of(Order::TenantWithoutName, "control | adopt control remove remove remove control"),
    Road::of(
        Order::TenantWithAdmin,
        "control adopt control tenant! control control control control | remove remove remove control",
    ),
];

pub(super) const ENDS: [Road; 1] = [Road::of(Order::End, "control remove control")];

// The second or third `control` is the permit, asked for by who makes or removes the database.
pub(super) const POOL_IS_FILLED: [Road; 1] =
    [Road::of(Order::FullerPool, "control create control migrate tenant control")];

pub(super) const POOL_IS_SHRUNK: [Road; 1] = [Road::of(Order::NoPool, "control remove control control")];

impl Road {
    const fn of(order: Order, plan: &'static str) -> Self {
        Self { order, plan }
    }

    /// The names of the effects.
    pub(super) fn effects(&self) -> Vec<&'static str> {
        self.plan
            .split_whitespace()
            .filter(|word| *word != "|")
            .map(|word| word.trim_end_matches('!'))
            .collect()
    }

    /// The number of the effect that is made to fail.
    pub(super) fn fault(&self) -> Option<usize> {
        let mut words = self.plan.split_whitespace().filter(|word| *word != "|");
        words.position(|word| word.ends_with('!')).map(|index| index + 1)
    }

    /// The numbers of the effects at which processes are killed.
    pub(super) fn killed_at(&self) -> impl Iterator<Item = usize> + use<> {
        let before = self.plan.split_once('|').map_or(0, |(before, _)| before.split_whitespace().count());
        before + 1..=self.effects().len()
    }

    /// How many processes are killed: before each effect, early in it and late in it; and one after all of them.
    pub(super) fn kills(&self) -> u32 {
        u32::try_from(3 * self.killed_at().count() + 1).unwrap()
    }

    /// Whether a tenant's database is made on it, or taken from the pool.
    pub(super) const fn takes_a_database(&self) -> bool {
        matches!(self.order, Order::Tenant | Order::TenantWithAdmin | Order::TenantWithoutName)
    }

    /// The threads whose effects these are.
    pub(super) const fn threads(&self) -> &'static str {
        match self.order {
            Order::FullerPool | Order::NoPool => "keeper",
            _ => "provision",
        }
    }
}
