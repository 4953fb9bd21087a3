// The workloads of ../../share.c with Tokio's types: the same loops, counts and capacities.
// usage: tokio-sync WORKLOAD WORKERS
// Prints a line: workload TAB op TAB ops TAB nanoseconds TAB extra
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{broadcast, mpsc, oneshot, watch, Mutex, Notify, RwLock, Semaphore};

const MANY: u64 = 4;
const LOOP: u64 = 5_000_000;
const CONTENDED: u64 = 200_000;
const MESSAGES: u64 = 1_000_000;
const ROUNDS: u64 = 300_000;
const NEWS: u64 = 200_000;

struct Outcome(&'static str, u64, Duration);

async fn lock() -> Outcome {
    let mutex = Mutex::new(0u64);
    let begun = Instant::now();
    for _ in 0..LOOP {
        *mutex.lock().await += 1;
    }
    Outcome("lock and unlock", LOOP, begun.elapsed())
}

async fn lock_contended() -> Outcome {
    let mutex = Arc::new(Mutex::new(0u64));
    let begun = Instant::now();
    let tasks: Vec<_> = (0..MANY)
        .map(|_| {
            let mutex = mutex.clone();
            tokio::spawn(async move {
                for i in 0..CONTENDED {
                    let mut guard = mutex.lock().await;
                    *guard += 1;
                    if i % 16 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    Outcome("lock and unlock", MANY * CONTENDED, begun.elapsed())
}

async fn read_lock() -> Outcome {
    let lock = RwLock::new(1u64);
    let mut sum = 0;
    let begun = Instant::now();
    for _ in 0..LOOP {
        sum += *lock.read().await;
    }
    Outcome("read lock and unlock", sum, begun.elapsed())
}

async fn semaphore() -> Outcome {
    let semaphore = Semaphore::new(2);
    let begun = Instant::now();
    for _ in 0..LOOP {
        drop(semaphore.acquire().await.unwrap());
    }
    Outcome("acquire and release", LOOP, begun.elapsed())
}

// A message is a block of its own there too, so that both move an address.
async fn channel_from(producers: u64) -> Outcome {
    let each = MESSAGES / producers;
    let (sender, mut receiver) = mpsc::channel::<Box<u64>>(64);
    let begun = Instant::now();
    for _ in 0..producers {
        let sender = sender.clone();
        tokio::spawn(async move {
            for i in 0..each {
                sender.send(Box::new(i)).await.unwrap();
            }
        });
    }
    drop(sender);
    let mut count = 0;
    while receiver.recv().await.is_some() {
        count += 1;
    }
    Outcome("message", count, begun.elapsed())
}

async fn oneshots() -> Outcome {
    let mut sum = 0;
    let begun = Instant::now();
    for i in 0..MESSAGES {
        let (sender, receiver) = oneshot::channel::<Box<u64>>();
        sender.send(Box::new(i)).unwrap();
        sum += *receiver.await.unwrap() & 1;
    }
    assert!(sum == MESSAGES / 2);
    Outcome("create, send and receive", MESSAGES, begun.elapsed())
}

// What cede_watch_get gives may be held over yields: there it is an Arc.
async fn watch_look() -> Outcome {
    let (_sender, receiver) = watch::channel(Arc::new(1u64));
    let mut sum = 0;
    let begun = Instant::now();
    for _ in 0..LOOP {
        let now = receiver.borrow().clone();
        sum += *now;
    }
    Outcome("look", sum, begun.elapsed())
}

async fn watch_round() -> Outcome {
    let (there, mut there_seen) = watch::channel(Arc::new(0u64));
    let (back, mut back_seen) = watch::channel(Arc::new(0u64));
    let begun = Instant::now();
    let answer = tokio::spawn(async move {
        for i in 0..ROUNDS {
            there_seen.changed().await.unwrap();
            let _now = there_seen.borrow_and_update().clone();
            back.send(Arc::new(i)).unwrap();
        }
    });
    for i in 0..ROUNDS {
        there.send(Arc::new(i)).unwrap();
        back_seen.changed().await.unwrap();
        let _now = back_seen.borrow_and_update().clone();
    }
    let took = begun.elapsed();
    answer.await.unwrap();
    Outcome("change seen", 2 * ROUNDS, took)
}

async fn notify_round() -> Outcome {
    let (ping, pong) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (theirs, ours) = (ping.clone(), pong.clone());
    let begun = Instant::now();
    let answer = tokio::spawn(async move {
        for _ in 0..ROUNDS {
            theirs.notified().await;
            ours.notify_one();
        }
    });
    for _ in 0..ROUNDS {
        ping.notify_one();
        pong.notified().await;
    }
    let took = begun.elapsed();
    answer.await.unwrap();
    Outcome("call taken", 2 * ROUNDS, took)
}

async fn broadcasts() -> Outcome {
    let (sender, first) = broadcast::channel::<Arc<u64>>(NEWS as usize);
    drop(first);
    let receivers: Vec<_> = (0..MANY).map(|_| sender.subscribe()).collect();
    let begun = Instant::now();
    let tasks: Vec<_> = receivers
        .into_iter()
        .map(|mut receiver| tokio::spawn(async move { while receiver.recv().await.is_ok() {} }))
        .collect();
    for i in 0..NEWS {
        sender.send(Arc::new(i)).unwrap();
        if i % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
    drop(sender);
    for task in tasks {
        task.await.unwrap();
    }
    Outcome("message received", NEWS * MANY, begun.elapsed())
}

async fn reference() -> Outcome {
    let shared = Arc::new(1u64);
    let begun = Instant::now();
    for _ in 0..LOOP {
        drop(std::hint::black_box(shared.clone()));
    }
    Outcome("reference taken and given back", LOOP, begun.elapsed())
}

fn run<F>(workers: usize, work: F) -> Outcome
where
    F: Future<Output = Outcome> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).build().unwrap();
    let task = runtime.spawn(work); // on a worker, not on the main thread
    runtime.block_on(task).unwrap()
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let workers = words.get(2).and_then(|w| w.parse().ok()).unwrap_or(0usize);
    let name = words.get(1).map_or("", |w| w.as_str());
    if workers == 0 {
        eprintln!("usage: tokio-sync WORKLOAD WORKERS");
        std::process::exit(2);
    }
    let Outcome(op, ops, took) = match name {
        "share_lock" => run(workers, lock()),
        "share_lock_contended" => run(workers, lock_contended()),
        "share_read_lock" => run(workers, read_lock()),
        "share_semaphore" => run(workers, semaphore()),
        "share_channel" => run(workers, channel_from(1)),
        "share_channel_many" => run(workers, channel_from(MANY)),
        "share_oneshot" => run(workers, oneshots()),
        "share_watch_look" => run(workers, watch_look()),
        "share_watch_round" => run(workers, watch_round()),
        "share_notify_round" => run(workers, notify_round()),
        "share_broadcast" => run(workers, broadcasts()),
        "share_reference" => run(workers, reference()),
        _ => {
            eprintln!("tokio-sync: no workload {}", name);
            std::process::exit(2);
        }
    };
    println!("{}\t{}\t{}\t{}\t", name, op, ops, took.as_nanos());
}
