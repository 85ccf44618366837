// plants: only-telemetry-starts-opentelemetry
import { NodeSDK } from '@opentelemetry/sdk-node';

export const sdk = NodeSDK;
