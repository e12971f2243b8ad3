/**
 * Block devices that the simulated kernel runs on.
 *
 * @module
 */

export * from "./memory_device.ts";
