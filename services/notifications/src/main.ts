import { startFromEnvironment } from '@amana/service';
import { NotificationsService } from './notifications.module.ts';

await startFromEnvironment(NotificationsService);
