//! Group commit: items of concurrent callers are processed together, so that they share one transaction.
//!
//! No caller waits for a batch to fill: while one is being committed, the next one gathers. Several may be committed at
//! once; the items of one owner are in one of them at a time, which keeps their order, and hold up nobody else's.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    future::Future,
    hash::Hash,
    sync::Arc,
};

use tokio::{
    sync::{mpsc, oneshot},
    task::{self, JoinSet},
};

use crate::domain::{Error, Result, error::StorageFault};

/// Maximum number of tries of a whole batch that collides with other transactions.
const TRIES: usize = 3;

/// Gathers items of concurrent callers and submits them, up to a limit, as one batch.
pub struct GroupCommit<I, O> {
    sender: mpsc::Sender<Handed<I, O>>,
}

/// Bounds of the batches.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Maximum number of items of a batch.
    pub items: usize,
    /// Maximum number of batches at the same time.
    pub at_once: usize,
}

enum Handed<I, O> {
    Item(I, oneshot::Sender<Result<O>>),
    /// Marker, notified when every item before it is done.
    Mark(oneshot::Sender<()>),
}

impl<I, O> Clone for GroupCommit<I, O> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone() }
    }
}

/// Items that wait for a batch, and the owners of those that are in one.
struct Waiting<I, O, K> {
    items: VecDeque<Handed<I, O>>,
    in_batches: HashMap<task::Id, HashSet<K>>,
}

/// Items of a batch, with the callers that wait for them.
type Batch<I, O> = (Vec<I>, Vec<oneshot::Sender<Result<O>>>);

impl<I, O, K: Hash + Eq> Waiting<I, O, K> {
    /// Takes the first items whose owners have none in a batch, up to a limit and not beyond a marker.
    fn take(&mut self, limit: usize, owner: &impl Fn(&I) -> K) -> (Batch<I, O>, HashSet<K>) {
        while self.in_batches.is_empty() && matches!(self.items.front(), Some(Handed::Mark(_))) {
            if let Some(Handed::Mark(mark)) = self.items.pop_front() {
                tell(mark);
            }
        }
        let (mut items, mut callers, mut owners) = (Vec::new(), Vec::new(), HashSet::new());
        let (mut left, mut marked) = (VecDeque::with_capacity(self.items.len()), false);
        for handed in self.items.drain(..) {
            match handed {
                Handed::Item(item, caller) if !marked && items.len() < limit => {
                    let owner = owner(&item);
                    if self.in_batches.values().any(|owners| owners.contains(&owner)) {
                        left.push_back(Handed::Item(item, caller));
                    } else {
                        owners.insert(owner);
                        items.push(item);
                        callers.push(caller);
                    }
                }
                handed => {
                    marked |= matches!(handed, Handed::Mark(_));
                    left.push_back(handed);
                }
            }
        }
        self.items = left;
        ((items, callers), owners)
    }
}

impl<I: Clone + Send + Sync + 'static, O: Send + 'static> GroupCommit<I, O> {
    /// Starts the task that processes batches; `owner` returns the owner of an item. `work` answers each item in its
    /// order, or fails as a whole; then each item is tried alone, so that one bad item cannot fail its neighbours. Where
    /// the database fails, all are refused at once: alone they would fail as well, one after another.
    ///
    /// The task ends when every clone is dropped and every submitted item is answered.
    pub fn start<K, W, F>(bounds: Bounds, owner: impl Fn(&I) -> K + Send + 'static, work: W) -> Self
    where
        K: Hash + Eq + Send + 'static,
        W: Fn(Vec<I>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Vec<Result<O>>>> + Send + 'static,
    {
        let (sender, mut receiver) = mpsc::channel::<Handed<I, O>>(bounds.items * 4);
        tokio::spawn(async move {
            let work = Arc::new(work);
            let mut waiting = Waiting { items: VecDeque::new(), in_batches: HashMap::new() };
            let (mut batches, mut gathered, mut open) = (JoinSet::new(), Vec::new(), true);
            while open || !waiting.items.is_empty() || !batches.is_empty() {
                tokio::select! {
                    count = receiver.recv_many(&mut gathered, bounds.items), if open => open = count > 0,
                    Some(ended) = batches.join_next_with_id(), if !batches.is_empty() => {
                        let id = match ended {
                            Ok((id, ())) => id,
                            Err(error) => error.id(),
                        };
                        waiting.in_batches.remove(&id);
                    }
                }
                waiting.items.extend(gathered.drain(..));
                while batches.len() < bounds.at_once {
                    let ((items, callers), owners) = waiting.take(bounds.items, &owner);
                    if items.is_empty() {
                        break;
                    }
                    let batch = batches.spawn(process(work.clone(), items, callers));
                    waiting.in_batches.insert(batch.id(), owners);
                }
            }
        });
        Self { sender }
    }

    /// Submits an item and waits for its answer. Dropping the future does not withdraw the item.
    ///
    /// # Errors
    /// The error of the work, or [`Error::Unavailable`] when it has been stopped.
    pub async fn submit(&self, item: I) -> Result<O> {
        self.hand_in(item).await?.await
    }

    /// Submits an item, and returns the wait for its answer: items of one caller stay in the order in which they are handed
    /// in.
    ///
    /// # Errors
    /// As [`GroupCommit::submit`].
    pub async fn hand_in(&self, item: I) -> Result<impl Future<Output = Result<O>> + use<I, O>> {
        let (answer, answered) = oneshot::channel();
        let stopped = || Error::Unavailable { what: "this service, which is shutting down," };
        self.sender.send(Handed::Item(item, answer)).await.map_err(|_| stopped())?;
        Ok(async move { answered.await.map_err(|_| stopped())? })
    }

    /// Waits until every item submitted before is done, also those of callers that have gone away since.
    pub async fn settle(&self) {
        let (mark, reached) = oneshot::channel();
        if self.sender.send(Handed::Mark(mark)).await.is_ok() {
            let _ = reached.await;
        }
    }
}

/// Processes a batch, and answers its callers.
async fn process<I: Clone + Sync, O, F>(
    work: Arc<impl Fn(Vec<I>) -> F>,
    items: Vec<I>,
    callers: Vec<oneshot::Sender<Result<O>>>,
) where
    F: Future<Output = Result<Vec<Result<O>>>>,
{
    for (caller, answer) in callers.into_iter().zip(answers(&*work, items).await) {
        // The caller may have gone away; the item is committed all the same.
        let _ = caller.send(answer);
    }
}

/// Returns one answer for each item.
async fn answers<I: Clone + Sync, O, F>(work: &impl Fn(Vec<I>) -> F, items: Vec<I>) -> Vec<Result<O>>
where
    F: Future<Output = Result<Vec<Result<O>>>>,
{
    let count = items.len();
    match persistently(work, &items).await {
        Ok(answers) => answers,
        Err(error @ (Error::Storage(_) | Error::Unavailable { .. })) => {
            (0..count).map(|_| Err(error.clone())).collect()
        }
        Err(error) if count == 1 => vec![Err(error)],
        Err(error) => {
            tracing::warn!(%error, items = count, "a batch failed; trying its items one by one");
            let mut answers = Vec::with_capacity(count);
            for item in items {
                answers.push(persistently(work, &[item]).await.and_then(first));
            }
            answers
        }
    }
}

/// Processes items as a whole, and retries where they collided with another transaction.
async fn persistently<I: Clone + Sync, O, F>(work: &impl Fn(Vec<I>) -> F, items: &[I]) -> Result<Vec<Result<O>>>
where
    F: Future<Output = Result<Vec<Result<O>>>>,
{
    for _ in 1..TRIES {
        match work(items.to_vec()).await {
            Err(Error::Storage(StorageFault::Contended)) => {
                tracing::debug!(items = items.len(), "a batch collided with another transaction; trying it again");
            }
            done => return done,
        }
    }
    work(items.to_vec()).await
}

/// Notifies a waiting caller, which may have gone away.
fn tell(mark: oneshot::Sender<()>) {
    let _ = mark.send(());
}

fn first<O>(answers: Vec<Result<O>>) -> Result<O> {
    answers.into_iter().next().unwrap_or_else(|| Err(Error::Internal("a batch of one had no answer".into())))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    };

    use futures_util::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn those_who_come_during_a_commit_share_the_next() {
        let batches = Arc::new(AtomicUsize::new(0));
        let gate = Arc::new(Semaphore::new(0));
        let group_commit = GroupCommit::start(Bounds { items: 100, at_once: 1 }, |_| (), {
            let (batches, gate) = (batches.clone(), gate.clone());
            move |items: Vec<u32>| {
                let (batches, gate) = (batches.clone(), gate.clone());
                async move {
                    batches.fetch_add(1, SeqCst);
                    gate.acquire().await.unwrap().forget();
                    Ok(items.into_iter().map(|item| Ok(item * 2)).collect())
                }
            }
        });
        let all = tokio::spawn({
            let group_commit = group_commit.clone();
            async move { join_all((0..50).map(|item| group_commit.submit(item))).await }
        });
        gate.add_permits(50);
        let answers: Vec<u32> = all.await.unwrap().into_iter().map(Result::unwrap).collect();
        assert_eq!(answers, (0..50).map(|item| item * 2).collect::<Vec<_>>());
        assert!(batches.load(SeqCst) <= 3, "{} batches", batches.load(SeqCst));
    }

    #[tokio::test]
    async fn whoever_settles_waits_for_what_others_handed_in() {
        let (gate, done) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
        let group_commit = GroupCommit::start(Bounds { items: 100, at_once: 1 }, |_| (), {
            let (gate, done) = (gate.clone(), done.clone());
            move |items: Vec<u32>| {
                let (gate, done) = (gate.clone(), done.clone());
                async move {
                    gate.acquire().await.unwrap().forget();
                    done.fetch_add(items.len(), SeqCst);
                    Ok(items.into_iter().map(Ok).collect())
                }
            }
        });
        group_commit.settle().await;
        let left = tokio::spawn({
            let group_commit = group_commit.clone();
            async move { group_commit.submit(1).await }
        });
        tokio::task::yield_now().await;
        left.abort();
        let _ = left.await;
        let settled = tokio::spawn({
            let group_commit = group_commit.clone();
            async move { group_commit.settle().await }
        });
        tokio::task::yield_now().await;
        assert!(!settled.is_finished());
        gate.add_permits(1);
        settled.await.unwrap();
        assert_eq!(done.load(SeqCst), 1);
    }

    #[tokio::test]
    async fn the_items_of_an_owner_keep_their_order_and_hold_up_no_other() {
        let (gate, done) = (Arc::new(Semaphore::new(0)), Arc::new(std::sync::Mutex::new(Vec::new())));
        let group_commit = GroupCommit::start(Bounds { items: 100, at_once: 2 }, |item: &(u32, u32)| item.0, {
            let (gate, done) = (gate.clone(), done.clone());
            move |items: Vec<(u32, u32)>| {
                let (gate, done) = (gate.clone(), done.clone());
                async move {
                    if items.iter().any(|(owner, _)| *owner == 1) {
                        gate.acquire().await.unwrap().forget();
                    }
                    done.lock().unwrap().extend(items.clone());
                    Ok(items.into_iter().map(Ok).collect())
                }
            }
        });
        let submitted = |item| {
            let group_commit = group_commit.clone();
            tokio::spawn(async move { group_commit.submit(item).await })
        };
        let slow = submitted((1, 1));
        tokio::task::yield_now().await;
        let behind = submitted((1, 2));
        tokio::task::yield_now().await;
        group_commit.submit((2, 1)).await.unwrap();
        assert_eq!(*done.lock().unwrap(), [(2, 1)], "another owner's waits for nothing");
        gate.add_permits(2);
        slow.await.unwrap().unwrap();
        behind.await.unwrap().unwrap();
        assert_eq!(*done.lock().unwrap(), [(2, 1), (1, 1), (1, 2)]);
    }

    #[tokio::test]
    async fn a_bad_item_fails_alone() {
        let group_commit = GroupCommit::start(
            Bounds { items: 100, at_once: 1 },
            |_| (),
            |items: Vec<u32>| async move {
                if items.contains(&7) {
                    return Err(Error::Internal("seven".into()));
                }
                Ok(items.into_iter().map(Ok).collect())
            },
        );
        let answers = join_all((0..10).map(|item| group_commit.submit(item))).await;
        let bad: Vec<usize> = answers.iter().enumerate().filter(|(_, a)| a.is_err()).map(|(i, _)| i).collect();
        assert_eq!(bad, [7]);
    }

    #[tokio::test]
    async fn a_database_that_fails_ends_a_batch_at_once() {
        let tries = Arc::new(AtomicUsize::new(0));
        let group_commit = GroupCommit::start(Bounds { items: 100, at_once: 1 }, |_| (), {
            let tries = tries.clone();
            move |items: Vec<u32>| {
                tries.fetch_add(1, SeqCst);
                async move {
                    tokio::task::yield_now().await;
                    drop(items);
                    Err::<Vec<Result<u32>>, _>(Error::Storage(StorageFault::Unreachable))
                }
            }
        });
        let answers = join_all((0..100).map(|item| group_commit.submit(item))).await;
        assert!(answers.iter().all(|answer| matches!(answer, Err(Error::Storage(StorageFault::Unreachable)))));
        assert!(tries.load(SeqCst) <= 2, "{} tries", tries.load(SeqCst));
    }

    #[tokio::test]
    async fn a_batch_that_collides_is_tried_again_as_a_whole() {
        let tries = Arc::new(AtomicUsize::new(0));
        let group_commit = GroupCommit::start(Bounds { items: 100, at_once: 1 }, |_| (), {
            let tries = tries.clone();
            move |items: Vec<u32>| {
                let collides = tries.fetch_add(1, SeqCst) < 2;
                async move {
                    match collides {
                        true => Err(Error::Storage(StorageFault::Contended)),
                        false => Ok(items.into_iter().map(Ok).collect()),
                    }
                }
            }
        });
        assert_eq!(group_commit.submit(7).await.unwrap(), 7);
        assert_eq!(tries.load(SeqCst), 3);
    }

    #[tokio::test]
    async fn an_item_whose_caller_left_is_worked_on() {
        let done = Arc::new(AtomicUsize::new(0));
        let group_commit = GroupCommit::start(Bounds { items: 1, at_once: 1 }, |_| (), {
            let done = done.clone();
            move |items: Vec<u32>| {
                let done = done.clone();
                async move {
                    tokio::task::yield_now().await;
                    done.fetch_add(items.len(), SeqCst);
                    Ok(items.into_iter().map(Ok).collect())
                }
            }
        });
        let mut abandoned = Box::pin(group_commit.submit(1));
        assert!(futures_util::poll!(&mut abandoned).is_pending());
        drop(abandoned);
        group_commit.submit(2).await.unwrap();
        assert_eq!(done.load(SeqCst), 2);
    }
}
