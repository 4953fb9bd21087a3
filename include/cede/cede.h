/* cede.h - all of Cede's public interface. */
#ifndef CEDE_CEDE_H
#define CEDE_CEDE_H

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/async_mutex.h>
#include <cede/broadcast.h>
#include <cede/cancel.h>
#include <cede/channel.h>
#include <cede/counter.h>
#include <cede/defer.h>
#include <cede/executor.h>
#include <cede/failure.h>
#include <cede/inbox.h>
#include <cede/io.h>
#include <cede/job.h>
#include <cede/log.h>
#include <cede/message.h>
#include <cede/mutex.h>
#include <cede/node.h>
#include <cede/notify.h>
#include <cede/oneshot.h>
#include <cede/pending.h>
#include <cede/pool.h>
#include <cede/process.h>
#include <cede/rcu.h>
#include <cede/ref.h>
#include <cede/registry.h>
#include <cede/result.h>
#include <cede/rwlock.h>
#include <cede/semaphore.h>
#include <cede/shared.h>
#include <cede/signal.h>
#include <cede/stash.h>
#include <cede/supervisor.h>
#include <cede/system.h>
#include <cede/timer.h>
#include <cede/watch.h>

#endif
