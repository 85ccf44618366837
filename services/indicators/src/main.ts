import { startFromEnvironment } from '@amana/service';
import { IndicatorsService } from './indicators.module.ts';

await startFromEnvironment(IndicatorsService);
