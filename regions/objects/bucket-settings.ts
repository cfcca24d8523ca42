/** One rule by which a bucket removes objects by itself. */
export interface LifecycleRule {
  readonly id: string;
  /** Of the keys that it is for; empty for all. */
  readonly prefix: string;
  /** After how many days an object is removed; absent: the rule removes none in force. */
  readonly expiresAfterDays?: number;
  /** After how many days an old version is removed. */
  readonly oldVersionsAfterDays?: number;
  /** Objects are moved to another storage class, from which they may not be read at once. */
  readonly moves: boolean;
}

/** What a bucket does by itself. */
export interface BucketSettings {
  readonly versioning: 'on' | 'suspended' | 'off';
  /** Rules that are switched on. */
  readonly rules: readonly LifecycleRule[];
}
