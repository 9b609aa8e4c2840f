// Chance that can be repeated: the same seed gives the same documents.

/** A source of numbers (mulberry32) and of choices made with them. */
export class Chance {
  constructor(seed) {
    this.state = seed >>> 0;
  }

  /** A number from 0 up to, but not including, 1. */
  number() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** A whole number from 0 up to, but not including, `end`. */
  below(end) {
    return Math.floor(this.number() * end);
  }

  /** Whether something of this probability happens. */
  happens(probability) {
    return this.number() < probability;
  }

  /** One of these. */
  of(items) {
    return items[this.below(items.length)];
  }
}
