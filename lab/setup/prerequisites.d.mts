/** A tool that the lab needs, as it was found on this machine. */
export interface Prerequisite {
  readonly id: PrerequisiteId;
  readonly name: string;
  readonly needed: string;
  readonly why: string;
  /** The version found; missing when the tool can't be run. */
  readonly found?: string;
  /** Where its binary lies (Java only). */
  readonly path?: string;
  readonly ok: boolean;
  /** What is wrong, where the version alone doesn't say it. */
  readonly problem?: string;
  readonly install: { readonly debian: string; readonly macos: string };
}
export type PrerequisiteId = 'java' | 'maven' | 'go';
export function checkPrerequisites(ids?: readonly PrerequisiteId[]): Promise<readonly Prerequisite[]>;
export function describePrerequisite(result: Prerequisite, platform?: NodeJS.Platform): string;
export function isAtLeast(version: string, wanted: string): boolean;
