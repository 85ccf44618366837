// plants: only-telemetry-starts-opentelemetry
import { BasicTracerProvider } from '@opentelemetry/sdk-trace';

export const sdk = BasicTracerProvider;
