"""goals.py - the workloads that compare.py runs, and what each is to reach: Cede's time over the best other runtime's.

Of a workload: `of` which peers have it under the same name, `peers` those that call it otherwise, `run` its name for the
programs, `program` Cede's program if not bench_workloads, `lines` names of the line that counts if not its own, `value`
the field of `extra` that is compared instead of nanoseconds, `pinned` to one core, `workers` if not all, `absolute`
goals that are no ratios, by workers, `to` the one peer that the goal is about if it is not the best one.
"""

ALL = ("tokio", "go", "erlang", "caf")
LATE_US = {1: 5000, 2: 2000}  # by workers

WORKLOADS = {
    "ping_pong": {"of": ALL},
    "ping_pong_ask": {"of": (), "peers": {p: "ping_pong" for p in ALL}, "lines": ("ping_pong",)},
    "thread_ring": {"of": ALL},
    "fan_in": {"of": ALL},
    "fan_in_b1024": {"of": ("tokio", "go")},
    "spawn": {"of": ALL},
    "spawn_bare": {"of": ALL},
    "fork_join_throughput": {"of": ALL},
    "big": {"of": ALL},
    "chained_spawn": {"of": ALL},
    "spawn_many": {"of": ("tokio",)},
    "spawn_many_local": {"of": ALL},
    "yield_many": {"of": ("tokio", "go", "erlang")},
    "spawn_blocking_latency": {"of": (), "peers": {"tokio": "spawn_blocking"}, "pinned": True},
    "spawn_blocking_100k": {"of": (), "peers": {"tokio": "spawn_blocking"}},
    "memory": {"of": ALL, "value": "bytes_per_actor", "workers": (2,), "absolute": {2: 256}},
    "timers": {"of": ("tokio", "go", "erlang"), "program": "bench_timers"},
    "timers_late": {"of": ("tokio", "go", "erlang"), "program": "bench_timers", "run": "timers",
                    "value": "late_p99_us", "absolute": LATE_US},
    "timers_later": {"of": ("tokio", "go", "erlang"), "program": "bench_timers", "value": "late_p99_us",
                     "absolute": LATE_US},
    "echo": {"of": ("tokio", "go", "erlang", "raw"), "program": "bench_echo", "server": True, "to": "tokio"},
    "echo_p99": {"of": ("tokio", "go", "erlang", "raw"), "program": "bench_echo", "run": "echo", "server": True,
                 "value": "p99_us", "to": "tokio"},
    "dist_roundtrip": {"of": (), "peers": {"raw": "socket"}, "lines": ("tcp_rtt_64",), "pinned": True,
                       "workers": (1,)},
    "dist_oneway": {"of": (), "peers": {"raw": "zmq"}, "lines": ("zmq_tput_tcp_64",), "workers": (1,)},
}

# The shared types, beside Tokio's where there are such.
SHARED = ("lock", "lock_contended", "read_lock", "semaphore", "channel", "channel_many", "oneshot", "watch_look",
          "watch_round", "notify_round", "broadcast", "reference")
WORKLOADS.update({f"share_{name}": {"of": ("tokio_sync",), "program": "bench_share"} for name in SHARED})
WORKLOADS.update({f"share_{name}": {"of": (), "program": "bench_share"}
                  for name in ("mutex", "rcu_read", "rcu_publish", "counter")})

# Highest ratio that counts as reached, with 1 worker and with 2.
GOALS = {
    "ping_pong": (0.5, 0.35), "ping_pong_ask": (0.7, 0.45), "thread_ring": (0.5, 0.35),
    "fan_in": (0.8, 0.7), "fan_in_b1024": (0.8, 0.7),
    "spawn": (0.35, 0.35), "spawn_bare": (0.5, 0.35),
    "fork_join_throughput": (0.75, 0.7), "big": (0.75, 0.7),
    "chained_spawn": (0.7, 0.7), "spawn_many": (0.6, 0.5), "spawn_many_local": (0.6, 0.5), "yield_many": (0.6, 0.6),
    "spawn_blocking_latency": (0.8, 0.8), "spawn_blocking_100k": (0.5, 0.5),
    "timers": (0.4, 0.4), "echo": (1.0, 0.87),  # time per request: 1.15 times the requests are 0.87 of the time
    "echo_p99": (1.0, 1.0), "dist_roundtrip": (1.6, None), "dist_oneway": (1.0, None),
}
GOALS.update({f"share_{name}": (1.0, 1.0) for name in SHARED})

# What runtimes that Debian does not package reached once, beside tokio 1.24 in the same run, with 1 worker and with 2:
# Cede over tokio now, times tokio over that runtime there, stands for Cede over that runtime.
UNPACKAGED = {
    "ping_pong": {"tokio": (87, 114), "tokio 1.53": (93, 124), "caf 1.1": (183, 190), "pony": (55, 502)},
    "thread_ring": {"tokio": (90, 118), "tokio 1.53": (95, 143), "caf 1.1": (187, 193), "pony": (103, 575)},
    "fan_in": {"tokio": (45, 191), "tokio 1.53": (47, 185), "caf 1.1": (177, 343), "pony": (33, 66)},
    "fan_in_b1024": {"tokio": (67, 301), "tokio 1.53": (69, 138)},
    "spawn": {"tokio": (636, 798), "tokio 1.53": (1165, 1299), "caf 1.1": (1855, 2708), "pony": (326, 319)},
    "spawn_bare": {"tokio": (220, 577), "tokio 1.53": (464, 542), "caf 1.1": (1408, 1383)},
    "fork_join_throughput": {"tokio": (45, 43), "tokio 1.53": (46, 44), "caf 1.1": (352, 355), "pony": (45, 53)},
    "big": {"tokio": (77, 75), "tokio 1.53": (75, 74), "caf 1.1": (191, 165), "pony": (41, 116)},
    "chained_spawn": {"tokio": (94, 94), "tokio 1.53": (171, 235), "caf 1.1": (652, 748), "pony": (128, 396)},
    "spawn_many": {"tokio": (656, 640), "tokio 1.53": (542, 619)},
    "spawn_many_local": {"tokio": (158, 556), "tokio 1.53": (254, 451), "caf 1.1": (753, 933), "pony": (334, 368)},
    "yield_many": {"tokio": (55, 40), "tokio 1.53": (57, 35)},
    "spawn_blocking_100k": {"tokio": (5634, 5023), "tokio 1.53": (6420, 6458)},
}
UNPACKAGED["ping_pong_ask"] = UNPACKAGED["ping_pong"]


def goal_of(workload, workers):
    goals = GOALS.get(workload, (None, None))
    return goals[0 if workers == 1 else 1]


def stands_for(workload, workers, peer):
    """(name, factor) for each runtime that a measured peer speaks for: itself, and through tokio those not packaged."""
    names = [(peer, 1.0)]
    reference = UNPACKAGED.get(workload)
    if peer == "tokio" and reference:
        at = 0 if workers == 1 else 1
        names += [(f"{name} (by tokio)", reference["tokio"][at] / figures[at])
                  for name, figures in reference.items() if name != "tokio"]
    return names


def order(workload, workers):
    return list(WORKLOADS).index(workload), workers
