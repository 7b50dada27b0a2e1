export * from '../../../apps/capture-node/src/process/child.ts'
export * from '../../../apps/capture-node/src/process/program.ts'
export * from '../../../apps/capture-node/src/process/supervise.ts'
