//! A worker's copy of a record is never older than its counter says, in whatever order the workers take their steps.

use gaud::host::copies::Copies;

/// What a worker does next, one step at a time: the steps of a change, and the steps of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Swap,
    Count,
    ReadCounter,
    ReadRecord,
}

const CHANGE: [Step; 2] = [Step::Swap, Step::Count];
const READ: [Step; 2] = [Step::ReadCounter, Step::ReadRecord];

/// Two workers that change the record once each, and one that reads the record three times.
const WORKERS: [usize; 3] = [CHANGE.len(), CHANGE.len(), 3 * READ.len()];

const READER: usize = 2;

/// What all workers share, and what the reader has.
#[derive(Default)]
struct World {
    /// How often the record was swapped.
    record: u8,
    counter: u64,
    /// The record that each changer has made.
    made: [u8; 2],
    /// The newest record whose change was counted.
    told: u8,
    copies: Copies,
    /// What the reader has read of the counter, and what the counter had told by then.
    reading: (u64, u8),
}

impl World {
    fn take(&mut self, worker: usize, step: Step) {
        match step {
            Step::Swap => {
                self.record += 1;
                self.made[worker] = self.record;
            }
            Step::Count => {
                self.counter += 1;
                self.told = self.told.max(self.made[worker]);
            }
            Step::ReadCounter => self.reading = (self.counter, self.told),
            Step::ReadRecord => {
                let (changes, told) = self.reading;
                let load = || Some(vec![self.record]);
                let read = self.copies.read(0, Some(changes), load, |record| record.unwrap()[0]);
                assert!(read >= told, "read {read}, and the counter had told of {told}");
            }
        }
    }

    /// After all changes the copy is the record.
    fn settle(&mut self) {
        self.take(READER, Step::ReadCounter);
        self.take(READER, Step::ReadRecord);
        let read =
            self.copies.read(0, Some(self.counter), || None, |record| record.map(<[u8]>::to_vec));
        assert_eq!(read, Some(vec![self.record]));
    }
}

/// Every order in which the workers can take their steps.
fn orders(taken: [usize; 3], order: &mut Vec<usize>, all: &mut Vec<Vec<usize>>) {
    if taken == WORKERS {
        all.push(order.clone());
        return;
    }
    for worker in 0..WORKERS.len() {
        if taken[worker] < WORKERS[worker] {
            let mut after = taken;
            after[worker] += 1;
            order.push(worker);
            orders(after, order, all);
            order.pop();
        }
    }
}

#[test]
fn no_copy_outlives_a_change_that_was_counted() {
    let mut all = Vec::new();
    orders([0; 3], &mut Vec::new(), &mut all);
    assert_eq!(all.len(), 1260);
    for order in all {
        let (mut world, mut taken) = (World::default(), [0_usize; 3]);
        for worker in order {
            let steps = if worker == READER { READ } else { CHANGE };
            world.take(worker, steps[taken[worker] % steps.len()]);
            taken[worker] += 1;
        }
        world.settle();
    }
}
