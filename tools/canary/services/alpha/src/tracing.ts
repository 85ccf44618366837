// plants: opentelemetry-stays-in-ring-2
import { trace } from '@opentelemetry/api';

export const tracer = trace;
