// SPDX-License-Identifier: Apache-2.0

//! Places of a server: how many connections are answered at the same time, in all and from one
//! address, and how long a reader may keep one. A place is all that a reader can take from others,
//! so one that reads nothing loses it soon, and no single address can have all of them.

use super::{Clock, Pace};
use std::{
    collections::HashMap,
    future::Future,
    io,
    net::{IpAddr, Ipv6Addr},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{ready, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, Instant, Sleep},
};

/// Bounds on what the readers of a server can take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Connections in all.
    pub all: usize,
    /// Connections from one address.
    pub each: usize,
    /// Connections from one address of this machine itself, such as that of a proxy, behind which
    /// there are many readers.
    pub local: usize,
    /// Pace that a reader must keep up with.
    pub pace: Pace,
    /// Time to send a request.
    pub header: Duration,
    /// Time for which a connection takes new requests. An answer that is on its way is finished.
    pub requests: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            all: 64,
            each: 8,
            local: 48,
            pace: Pace {
                silence: Duration::from_secs(15),
                rate: 32 * 1024,
            },
            header: Duration::from_secs(10),
            requests: Duration::from_secs(60),
        }
    }
}

/// The places of a server.
#[derive(Clone)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
    bounds: Bounds,
}

/// A place in all, before it is known who takes it.
pub(super) struct Free {
    _permit: OwnedSemaphorePermit,
}

/// A taken place; free again when it is dropped.
pub(super) struct Place {
    places: Places,
    whose: IpAddr,
    _free: Free,
}

impl Places {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            all: Arc::new(Semaphore::new(bounds.all)),
            taken: Arc::default(),
            bounds,
        }
    }

    /// Waits for a free place. `None` never comes: the semaphore is not closed.
    pub(super) async fn free(&self) -> Option<Free> {
        let free = self.all.clone().acquire_owned().await;
        let _permit = free.ok()?;
        Some(Free { _permit })
    }

    /// Takes a place for a reader at `address`; `None` if that address has as many as it may.
    pub(super) fn take(&self, free: Free, address: IpAddr) -> Option<Place> {
        let whose = reader(address);
        let most = match whose.is_loopback() {
            true => self.bounds.local,
            false => self.bounds.each,
        };
        let mut taken = self.taken();
        let count = taken.entry(whose).or_default();
        if *count >= most {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Place {
            places: self.clone(),
            whose,
            _free: free,
        })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken();
        if let Some(count) = taken.get_mut(&self.whose) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.remove(&self.whose);
            }
        }
    }
}

/// The address that counts as one reader: an IPv6 network of 64 bits is a single customer's, who
/// has as many addresses in it as there are.
fn reader(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        other => other,
    }
}

/// A connection whose reader must keep up with a pace: a write that waits longer fails.
pub(super) struct Paced<T> {
    connection: T,
    clock: Clock,
    waits: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<T> Paced<T> {
    pub(super) fn new(connection: T, pace: Pace) -> Self {
        Self {
            connection,
            clock: Clock::start(pace),
            waits: None,
        }
    }

    /// Result of a write, if the reader has time left.
    fn written(
        &mut self,
        context: &mut std::task::Context<'_>,
        write: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if write.is_ready() {
            if let Some((since, _)) = self.waits.take() {
                self.clock.spent(since.elapsed());
            }
            if let Poll::Ready(Ok(bytes)) = &write {
                self.clock.received(*bytes as u64);
            }
            return write;
        }
        let left = self.clock.left();
        let (_, end) = self
            .waits
            .get_or_insert_with(|| (Instant::now(), Box::pin(sleep(left))));
        ready!(end.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the reader does not read, or too slowly",
        )))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Paced<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Paced<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.connection).poll_write(context, bytes);
        self.written(context, write)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.connection).poll_write_vectored(context, parts);
        self.written(context, write)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(all: usize, each: usize) -> Bounds {
        Bounds {
            all,
            each,
            ..Bounds::default()
        }
    }

    #[tokio::test]
    async fn no_address_has_more_places_than_it_may_and_what_is_left_is_free_again() {
        let places = Places::new(bounds(6, 2));
        let take = async |address: &str| {
            let free = places.free().await.unwrap();
            places.take(free, address.parse().unwrap())
        };
        let first = take("192.0.2.1").await.unwrap();
        let second = take("::ffff:192.0.2.1").await.unwrap();
        assert!(take("192.0.2.1").await.is_none());
        // Another address, and what was refused took no place.
        let _other = take("192.0.2.2").await.unwrap();
        assert_eq!(places.all.available_permits(), 3);
        // All addresses of one customer's network are one reader.
        let _sixth = take("2001:db8::1").await.unwrap();
        let _seventh = take("2001:db8::2").await.unwrap();
        assert!(take("2001:db8::3").await.is_none());
        assert!(take("2001:db8:0:1::3").await.is_some());
        drop(first);
        assert!(take("192.0.2.1").await.is_some());
        drop(second);
        assert!(!places.taken().contains_key(&"192.0.2.1".parse().unwrap()));
    }

    #[tokio::test]
    async fn a_proxy_on_this_machine_has_more_places_than_others_and_not_all() {
        let places = Places::new(Bounds {
            local: 3,
            ..bounds(4, 1)
        });
        let mut held = Vec::new();
        for _ in 0..3 {
            let free = places.free().await.unwrap();
            held.push(places.take(free, "127.0.0.1".parse().unwrap()).unwrap());
        }
        let free = places.free().await.unwrap();
        assert!(places.take(free, "127.0.0.1".parse().unwrap()).is_none());
        let free = places.free().await.unwrap();
        assert!(places.take(free, "192.0.2.1".parse().unwrap()).is_some());
    }

    #[tokio::test]
    async fn a_write_fails_when_nothing_is_read_and_goes_on_when_something_is() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (near, mut far) = tokio::io::duplex(1_000);
        let pace = Pace {
            silence: Duration::from_secs(1),
            rate: 2_000,
        };
        let mut paced = Paced::new(near, pace);
        let reader = tokio::spawn(async move {
            let mut piece = [0; 500];
            // Never silent for long, and faster than the least rate.
            for _ in 0..8 {
                tokio::time::sleep(Duration::from_millis(40)).await;
                far.read_exact(&mut piece).await.unwrap();
            }
            far
        });
        paced.write_all(&[7; 4_000]).await.unwrap();
        let _far = reader.await.unwrap();
        paced.write_all(&[7; 500]).await.unwrap();
        let started = Instant::now();
        let error = paced.write_all(&[7; 5_000]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}
