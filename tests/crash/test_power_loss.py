"""Power loss: a workload on a simulated drive, cut off at thousands of points.

What is recovered must be the state behind some operation in commit order: not before the last one
that was acknowledged as durable, not behind the one under way. Environment: HASHRANGE_POWER_SEED
takes a printed seed back, HASHRANGE_ROUNDS (make soak) multiplies the rounds.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from crash.oracle import State, Workload, abandon, content, perform, place_of, rounds_of, seed_of

import hashrange
from ddbcore.simulation import SimulatedDisk
from hashrange.verification import inspect

MODES = ("random", "random", "random", "old", "new", "prefix")
OPERATIONS = 60               # of one life of a database, between two crashes


@dataclass
class Point:
    """A drive as a crash left it, and what it may hold: the states from `lower` to `upper`."""

    disk: SimulatedDisk
    states: list[State]
    lower: int
    upper: int
    words: str


def opened(disk: SimulatedDisk, **options: Any) -> hashrange.Database:
    """Open a database without background threads: a seed then decides every call."""
    database = hashrange.open(disk=disk, **options)
    database.engine.starter = None
    return database


class Life:
    """One life of a database, from opening to crash; crash points are collected on the way."""

    def __init__(
        self,
        dice: random.Random,
        disk: SimulatedDisk,
        states: list[State],
        lower: int,
        upper: int,
    ) -> None:
        self.dice = dice
        self.disk = disk
        self.points: list[Point] = []
        self.durability = ""
        self.states = states
        self.lower = lower            # durable: this state or a later one
        self.upper = upper            # begun
        self.share = dice.choice((0.02, 0.1, 0.3))
        disk.hook = self.look

    def look(self, operation: str, name: str | None) -> None:
        if operation not in ("read", "populate") and self.dice.random() < self.share:
            self.crash(f"at {operation} of {name}")

    def crash(self, words: str) -> None:
        mode = self.dice.choice(MODES)
        seed = self.dice.randrange(1 << 32)
        disk = self.disk.crash(seed, keep=mode)
        words = f"{self.durability}, {mode} crash {words}"
        self.points.append(Point(disk, self.states, self.lower, self.upper, words))

    def run(self, durability: str, killed: bool) -> None:
        self.durability = durability
        database = opened(self.disk, durability=durability, checkpoint_bytes=65536)
        least = self.upper if killed else self.lower
        at = place_of(content(database), self.states, least, self.upper)
        # What a writer shows is durable.
        self.lower = self.upper = at
        seed, large = self.dice.randrange(1 << 32), self.dice.random() < 0.3
        workload = Workload(seed, large=large, state=self.states[at])
        self.states = workload.states
        self.lower = self.upper = 0
        for _ in range(self.dice.randrange(OPERATIONS)):
            operation = workload.draw()
            workload.advance(operation)
            self.upper = len(self.states) - 1
            perform(database, operation)
            if durability == "commit" or operation[0] in ("sync", "checkpoint"):
                self.lower = self.upper
            if self.dice.random() < 0.2:
                seed, share = self.dice.randrange(1 << 32), self.dice.choice((0.1, 0.9))
                self.disk.write_back(seed, share=share)
            if self.dice.random() < self.share:
                self.crash(f"after {operation[0]}")
        if self.dice.random() < 0.3:
            database.close()
            if durability != "none":
                self.lower = self.upper
            self.crash("after close")
        else:
            self.crash("at the end")
            abandon(database)
        self.disk.hook = None


def check(point: Point) -> None:
    """Open what a crash left, as a reader on a copy and as a writer, and compare."""
    options = {"mode": "r"} if point.lower % 2 else {}
    database = opened(point.disk.snapshot(), **options)
    place_of(content(database), point.states, point.lower, point.upper)
    report = inspect(database)
    assert report.ok, report.errors
    abandon(database)


def test_a_power_loss_leaves_an_exact_prefix_with_everything_durable() -> None:
    seed = seed_of("HASHRANGE_POWER_SEED")
    dice = random.Random(seed)
    points = 0
    lives = 0
    for _ in range(rounds_of(120)):
        disk = SimulatedDisk()
        states: list[State] = [{}]
        lower = upper = 0
        killed = False
        # Several lives of one database, each on what a crash left of the one before.
        for _ in range(dice.randint(1, 5)):
            life = Life(dice, disk, states, lower, upper)
            try:
                life.run(dice.choice(("interval", "commit", "none")), killed)
                for point in life.points:
                    check(point)
            except BaseException:
                points += len(life.points)
                print(f"HASHRANGE_POWER_SEED={seed}, life {lives}, {points} points")
                print([point.words for point in life.points[-3:]])
                raise
            points += len(life.points)
            lives += 1
            killed = dice.random() < 0.3
            if killed:
                # The process is gone, the drive lives on: all is seen, though not all is durable.
                disk, states, lower, upper = disk.snapshot(), life.states, life.lower, life.upper
            else:
                point = dice.choice(life.points)
                disk, states, lower, upper = point.disk, point.states, point.lower, point.upper
    print(f"{points} crash points in {lives} lives, seed {seed}")
