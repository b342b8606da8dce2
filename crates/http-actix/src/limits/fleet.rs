//! Which part of a tenant's rate each of several processes lets in, so that together they let in the whole of it.
//!
//! They know of each other what each says every few seconds: that it is there, and what it let in lately. Each always has
//! the part it would have if all did the same; whoever uses that up may have what the others do not use. What is taken at once
//! is always shared evenly, since nobody can be asked in time.

use super::bucket::Share;

/// What this process may let in of one tenant's rate, all in requests a minute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Demand {
    /// The tenant's rate.
    pub(super) rate: u32,
    /// What this process let in lately.
    pub(super) own: u32,
    /// What the others let in lately, together.
    pub(super) others: u64,
}

/// The part of each of so many processes.
pub(super) fn even(replicas: u32) -> Share {
    let part = Share::WHOLE / replicas.max(1);
    Share { rate: part, burst: part }
}

/// The part of one of so many processes that has this demand.
pub(super) fn share(replicas: u32, demand: Demand) -> Share {
    let even = even(replicas);
    let part = demand.rate / replicas.max(1);
    // Who does not use up its part needs no more; and whoever wakes up finds the others at theirs.
    if u64::from(demand.own) * 5 < u64::from(part) * 4 {
        return even;
    }
    let free = u64::from(demand.rate).saturating_sub(demand.others);
    let rate = free * u64::from(Share::WHOLE) / u64::from(demand.rate.max(1));
    Share { rate: u32::try_from(rate).unwrap_or(Share::WHOLE).clamp(even.rate, Share::WHOLE), ..even }
}

/// The part of one of so many processes that the others do not hear of any more, so that they share the whole among
/// themselves: however many are cut off, as long as there is another one they have a tenth together.
pub(super) fn cut_off(replicas: u32) -> Share {
    let part = Share::WHOLE / 10 / replicas.saturating_sub(1).max(1);
    Share { rate: part, burst: part }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::RateLimit;
    use super::super::bucket::Bucket;
    use super::*;

    const LIMIT: RateLimit = RateLimit { per_minute: 600, burst: 60 };
    /// How often the processes tell each other.
    const ROUND: u64 = 3;

    /// So many processes, each of which is sent so many requests a second; how many all of them let in within each second.
    fn simulate(loads: &[&dyn Fn(u64) -> u32], seconds: u64) -> Vec<u32> {
        let replicas = u32::try_from(loads.len()).unwrap();
        let buckets: Vec<Bucket> = loads.iter().map(|_| Bucket::full()).collect();
        let mut shares = vec![even(replicas); loads.len()];
        let mut lately = vec![0; loads.len()];
        let mut let_in = Vec::new();
        for second in 0..seconds {
            if second > 0 && second % ROUND == 0 {
                let rates: Vec<u32> = lately.iter().map(|count| count * 60 / ROUND as u32).collect();
                for (at, share_of) in shares.iter_mut().enumerate() {
                    let others = rates.iter().sum::<u32>() - rates[at];
                    let demand = Demand { rate: LIMIT.per_minute, own: rates[at], others: others.into() };
                    *share_of = share(replicas, demand);
                }
                lately.fill(0);
            }
            let mut all = 0;
            for (at, load) in loads.iter().enumerate() {
                let load = load(second);
                for n in 0..load {
                    let now = Duration::from_secs(second) + Duration::from_secs(1) * n / load;
                    let taken = buckets[at].take(LIMIT, shares[at], now).is_ok();
                    lately[at] += u32::from(taken);
                    all += u32::from(taken);
                }
            }
            let_in.push(all);
        }
        let_in
    }

    /// In no minute are there more than a tenth too many, counted as the limit says: what is taken at once, and the rate.
    #[track_caller]
    fn assert_kept(let_in: &[u32]) {
        for window in let_in.windows(60) {
            let count: u32 = window.iter().sum();
            let most = LIMIT.burst + LIMIT.per_minute;
            assert!(count * 10 <= most * 11, "{count} of {most} in a minute: {window:?}");
        }
    }

    #[test]
    fn one_process_lets_in_everything() {
        assert_eq!(even(1), Share::ALL);
        assert_eq!(share(1, Demand { rate: 7, own: 9, others: 0 }), Share::ALL);
    }

    #[test]
    fn under_an_even_load_three_let_in_the_whole_together() {
        let let_in = simulate(&[&|_| 50, &|_| 50, &|_| 50], 180);
        assert_kept(&let_in);
        let last: u32 = let_in[120..].iter().sum();
        assert!((570..=630).contains(&last), "{last}");
    }

    #[test]
    fn one_of_three_that_gets_all_the_load_lets_in_all_of_it() {
        let let_in = simulate(&[&|_| 100, &|_| 0, &|_| 0], 180);
        assert_kept(&let_in);
        let last: u32 = let_in[120..].iter().sum();
        assert!((570..=630).contains(&last), "{last}");
    }

    #[test]
    fn however_the_load_moves_no_minute_has_a_tenth_too_many() {
        let to_and_fro = |second: u64| if (second / 20).is_multiple_of(2) { 100 } else { 0 };
        let fro_and_to = |second: u64| if (second / 20).is_multiple_of(2) { 0 } else { 100 };
        assert_kept(&simulate(&[&to_and_fro, &fro_and_to, &|_| 0], 300));
        assert_kept(&simulate(&[&|_| 3, &|_| 30, &to_and_fro], 300));
        assert_kept(&simulate(&[&|second| if second > 90 { 100 } else { 0 }, &|_| 100, &to_and_fro], 300));
        let all_at_once = |second: u64| if second.is_multiple_of(30) { 500 } else { 0 };
        assert_kept(&simulate(&[&all_at_once, &all_at_once, &all_at_once], 300));
    }
}
