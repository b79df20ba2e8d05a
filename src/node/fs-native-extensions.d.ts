/** The part of `fs-native-extensions` that `lock.ts` uses; the package has no types. */
declare module 'fs-native-extensions' {
  const native: {
    /** An exclusive lock on the whole file; false if another open file description has one. */
    tryLock(fd: number): boolean;
  };
  export default native;
}
