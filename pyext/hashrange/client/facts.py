"""What the service's operations take and return: names, types, least lengths; pages and waits.

Theory of operation. The facts were taken from the service model of botocore (the version is
below), in a notation of our own, and are read when a client is made; a test compares them with the
botocore that is installed. Nothing of botocore is needed at run time.

Format. STRUCTURES has one structure an entry: `Name = Member:type ...`, an entry goes on in the
lines that begin with a blank. `!` marks a member that a request must have. Types are `str`, `int`,
`float`, `bool`, `bytes` and `time`, each with its least length or value behind it (`str1`);
`token`, text that is made up when it is missing; `condition` and `keycondition`, text that the
resource takes as an object too; `[type]`, a list, its least length behind it; `<key:value>`, a map;
or the name of a structure. OPERATIONS: name, structures of request and response (those called
NameInput and NameOutput are left out, `-` is none). ERRORS: the errors that clients have as
classes.
"""

from __future__ import annotations

from typing import NamedTuple

BOTOCORE_VERSION = "1.44.8"

STRUCTURES = """\
BatchExecuteStatementInput = Statements!:[BatchStatementRequest]1 ReturnConsumedCapacity:str
BatchExecuteStatementOutput = Responses:[BatchStatementResponse]
 ConsumedCapacity:[ConsumedCapacity]
BatchGetItemInput = RequestItems!:<str1:KeysAndAttributes> ReturnConsumedCapacity:str
BatchGetItemOutput = Responses:<str1:[<str:AttributeValue>]>
 UnprocessedKeys:<str1:KeysAndAttributes> ConsumedCapacity:[ConsumedCapacity]
BatchWriteItemInput = RequestItems!:<str1:[WriteRequest]1> ReturnConsumedCapacity:str
 ReturnItemCollectionMetrics:str
BatchWriteItemOutput = UnprocessedItems:<str1:[WriteRequest]1>
 ItemCollectionMetrics:<str1:[ItemCollectionMetrics]> ConsumedCapacity:[ConsumedCapacity]
CancelBulkOperationInput = BulkOperationArn!:str37
CancelBulkOperationOutput = BulkOperationArn!:str37 BulkOperationStatus!:str
CreateBackupInput = TableName!:str1 BackupName!:str3
CreateBackupOutput = BackupDetails:BackupDetails
CreateGlobalTableInput = GlobalTableName!:str3 ReplicationGroup!:[Replica]
CreateGlobalTableOutput = GlobalTableDescription:GlobalTableDescription
CreateTableInput = AttributeDefinitions:[AttributeDefinition] TableName!:str1
 KeySchema:[KeySchemaElement]1 LocalSecondaryIndexes:[LocalSecondaryIndex]
 GlobalSecondaryIndexes:[GlobalSecondaryIndex] BillingMode:str
 ProvisionedThroughput:ProvisionedThroughput StreamSpecification:StreamSpecification
 SSESpecification:SSESpecification Tags:[Tag] TableClass:str DeletionProtectionEnabled:bool
 WarmThroughput:WarmThroughput ResourcePolicy:str OnDemandThroughput:OnDemandThroughput
 GlobalTableSourceArn:str1 GlobalTableSettingsReplicationMode:str VectorIndexes:[VectorIndex]
CreateTableOutput = TableDescription:TableDescription
DeleteBackupInput = BackupArn!:str37
DeleteBackupOutput = BackupDescription:BackupDescription
DeleteItemInput = TableName!:str1 Key!:<str:AttributeValue> Expected:<str:ExpectedAttributeValue>
 ConditionalOperator:str ReturnValues:str ReturnConsumedCapacity:str
 ReturnItemCollectionMetrics:str ConditionExpression:condition ExpressionAttributeNames:<str:str>
 ExpressionAttributeValues:<str:AttributeValue> ReturnValuesOnConditionCheckFailure:str
DeleteItemOutput = Attributes:<str:AttributeValue> ConsumedCapacity:ConsumedCapacity
 ItemCollectionMetrics:ItemCollectionMetrics
DeleteResourcePolicyInput = ResourceArn!:str1 ExpectedRevisionId:str1
DeleteResourcePolicyOutput = RevisionId:str1
DeleteTableInput = TableName!:str1
DeleteTableOutput = TableDescription:TableDescription
DescribeBackupInput = BackupArn!:str37
DescribeBackupOutput = BackupDescription:BackupDescription
DescribeBulkOperationInput = BulkOperationArn!:str37
DescribeBulkOperationOutput = BulkOperationDescription!:BulkOperationDescription
DescribeContinuousBackupsInput = TableName!:str1
DescribeContinuousBackupsOutput = ContinuousBackupsDescription:ContinuousBackupsDescription
DescribeContributorInsightsInput = TableName!:str1 IndexName:str3
DescribeContributorInsightsOutput = TableName:str3 IndexName:str3
 ContributorInsightsRuleList:[str] ContributorInsightsStatus:str LastUpdateDateTime:time
 FailureException:FailureException ContributorInsightsMode:str
DescribeEndpointsRequest =
DescribeEndpointsResponse = Endpoints!:[Endpoint]
DescribeExportInput = ExportArn!:str37
DescribeExportOutput = ExportDescription:ExportDescription
DescribeGlobalTableInput = GlobalTableName!:str3
DescribeGlobalTableOutput = GlobalTableDescription:GlobalTableDescription
DescribeGlobalTableSettingsInput = GlobalTableName!:str3
DescribeGlobalTableSettingsOutput = GlobalTableName:str3
 ReplicaSettings:[ReplicaSettingsDescription]
DescribeImportInput = ImportArn!:str37
DescribeImportOutput = ImportTableDescription!:ImportTableDescription
DescribeKinesisStreamingDestinationInput = TableName!:str1
DescribeKinesisStreamingDestinationOutput = TableName:str3
 KinesisDataStreamDestinations:[KinesisDataStreamDestination]
DescribeLimitsInput =
DescribeLimitsOutput = AccountMaxReadCapacityUnits:int1 AccountMaxWriteCapacityUnits:int1
 TableMaxReadCapacityUnits:int1 TableMaxWriteCapacityUnits:int1
DescribeTableInput = TableName!:str1
DescribeTableOutput = Table:TableDescription
DescribeTableReplicaAutoScalingInput = TableName!:str1
DescribeTableReplicaAutoScalingOutput = TableAutoScalingDescription:TableAutoScalingDescription
DescribeTimeToLiveInput = TableName!:str1
DescribeTimeToLiveOutput = TimeToLiveDescription:TimeToLiveDescription
KinesisStreamingDestinationInput = TableName!:str1 StreamArn!:str37
 EnableKinesisStreamingConfiguration:EnableKinesisStreamingConfiguration
KinesisStreamingDestinationOutput = TableName:str3 StreamArn:str37 DestinationStatus:str
 EnableKinesisStreamingConfiguration:EnableKinesisStreamingConfiguration
ExecuteStatementInput = Statement!:str1 Parameters:[AttributeValue]1 ConsistentRead:bool
 NextToken:str1 ReturnConsumedCapacity:str Limit:int1 ReturnValuesOnConditionCheckFailure:str
ExecuteStatementOutput = Items:[<str:AttributeValue>] NextToken:str1
 ConsumedCapacity:ConsumedCapacity LastEvaluatedKey:<str:AttributeValue>
ExecuteTransactionInput = TransactStatements!:[ParameterizedStatement]1 ClientRequestToken:token1
 ReturnConsumedCapacity:str
ExecuteTransactionOutput = Responses:[ItemResponse]1 ConsumedCapacity:[ConsumedCapacity]
ExportTableToPointInTimeInput = TableArn!:str1 ExportTime:time ClientToken:token S3Bucket!:str
 S3BucketOwner:str S3Prefix:str S3SseAlgorithm:str S3SseKmsKeyId:str1 ExportFormat:str
 ExportType:str IncrementalExportSpecification:IncrementalExportSpecification
 FilterSpecification:FilterSpecification
ExportTableToPointInTimeOutput = ExportDescription:ExportDescription
GetItemInput = TableName!:str1 Key!:<str:AttributeValue> AttributesToGet:[str]1
 ConsistentRead:bool ReturnConsumedCapacity:str ProjectionExpression:str
 ExpressionAttributeNames:<str:str>
GetItemOutput = Item:<str:AttributeValue> ConsumedCapacity:ConsumedCapacity
GetResourcePolicyInput = ResourceArn!:str1
GetResourcePolicyOutput = Policy:str RevisionId:str1
ImportTableInput = ClientToken:token S3BucketSource!:S3BucketSource InputFormat!:str
 InputFormatOptions:InputFormatOptions InputCompressionType:str
 TableCreationParameters!:TableCreationParameters
ImportTableOutput = ImportTableDescription!:ImportTableDescription
ListBackupsInput = TableName:str1 Limit:int1 TimeRangeLowerBound:time TimeRangeUpperBound:time
 ExclusiveStartBackupArn:str37 BackupType:str
ListBackupsOutput = BackupSummaries:[BackupSummary] LastEvaluatedBackupArn:str37
ListBulkOperationsInput = MaxResults:int1 NextToken:str1
ListBulkOperationsOutput = BulkOperationsSummaryList:[BulkOperationSummary] NextToken:str1
ListContributorInsightsInput = TableName:str1 NextToken:str MaxResults:int
ListContributorInsightsOutput = ContributorInsightsSummaries:[ContributorInsightsSummary]
 NextToken:str
ListExportsInput = TableArn:str1 MaxResults:int1 NextToken:str
ListExportsOutput = ExportSummaries:[ExportSummary] NextToken:str
ListGlobalTablesInput = ExclusiveStartGlobalTableName:str3 Limit:int1 RegionName:str
ListGlobalTablesOutput = GlobalTables:[GlobalTable] LastEvaluatedGlobalTableName:str3
ListImportsInput = TableArn:str1 PageSize:int1 NextToken:str112
ListImportsOutput = ImportSummaryList:[ImportSummary] NextToken:str112
ListTablesInput = ExclusiveStartTableName:str3 Limit:int1
ListTablesOutput = TableNames:[str3] LastEvaluatedTableName:str3
ListTagsOfResourceInput = ResourceArn!:str1 NextToken:str
ListTagsOfResourceOutput = Tags:[Tag] NextToken:str
PutItemInput = TableName!:str1 Item!:<str:AttributeValue> Expected:<str:ExpectedAttributeValue>
 ReturnValues:str ReturnConsumedCapacity:str ReturnItemCollectionMetrics:str
 ConditionalOperator:str ConditionExpression:condition ExpressionAttributeNames:<str:str>
 ExpressionAttributeValues:<str:AttributeValue> ReturnValuesOnConditionCheckFailure:str
PutItemOutput = Attributes:<str:AttributeValue> ConsumedCapacity:ConsumedCapacity
 ItemCollectionMetrics:ItemCollectionMetrics
PutResourcePolicyInput = ResourceArn!:str1 Policy!:str ExpectedRevisionId:str1
 ConfirmRemoveSelfResourceAccess:bool
PutResourcePolicyOutput = RevisionId:str1
QueryInput = TableName!:str1 IndexName:str3 Select:str AttributesToGet:[str]1 Limit:int1
 ConsistentRead:bool KeyConditions:<str:Condition> QueryFilter:<str:Condition>
 ConditionalOperator:str ScanIndexForward:bool ExclusiveStartKey:<str:AttributeValue>
 ReturnConsumedCapacity:str ProjectionExpression:str FilterExpression:condition
 KeyConditionExpression:keycondition ExpressionAttributeNames:<str:str>
 ExpressionAttributeValues:<str:AttributeValue>
QueryOutput = Items:[<str:AttributeValue>] Count:int ScannedCount:int
 LastEvaluatedKey:<str:AttributeValue> ConsumedCapacity:ConsumedCapacity
RestoreTableFromBackupInput = TargetTableName!:str3 BackupArn!:str37 BillingModeOverride:str
 GlobalSecondaryIndexOverride:[GlobalSecondaryIndex]
 LocalSecondaryIndexOverride:[LocalSecondaryIndex]
 ProvisionedThroughputOverride:ProvisionedThroughput OnDemandThroughputOverride:OnDemandThroughput
 SSESpecificationOverride:SSESpecification VectorIndexOverride:[VectorIndex]
RestoreTableFromBackupOutput = TableDescription:TableDescription
RestoreTableToPointInTimeInput = SourceTableArn:str1 SourceTableName:str3 TargetTableName!:str3
 UseLatestRestorableTime:bool RestoreDateTime:time BillingModeOverride:str
 GlobalSecondaryIndexOverride:[GlobalSecondaryIndex]
 LocalSecondaryIndexOverride:[LocalSecondaryIndex]
 ProvisionedThroughputOverride:ProvisionedThroughput OnDemandThroughputOverride:OnDemandThroughput
 SSESpecificationOverride:SSESpecification VectorIndexOverride:[VectorIndex]
RestoreTableToPointInTimeOutput = TableDescription:TableDescription
ScanInput = TableName!:str1 IndexName:str3 AttributesToGet:[str]1 Limit:int1 Select:str
 ScanFilter:<str:Condition> ConditionalOperator:str ExclusiveStartKey:<str:AttributeValue>
 ReturnConsumedCapacity:str TotalSegments:int1 Segment:int0 ProjectionExpression:str
 FilterExpression:condition ExpressionAttributeNames:<str:str>
 ExpressionAttributeValues:<str:AttributeValue> ConsistentRead:bool
ScanOutput = Items:[<str:AttributeValue>] Count:int ScannedCount:int
 LastEvaluatedKey:<str:AttributeValue> ConsumedCapacity:ConsumedCapacity
SearchVectorsInput = TableName!:str1 IndexName!:str3 ReturnConsumedCapacity:str
 ExpressionAttributeNames:<str:str> ExpressionAttributeValues:<str:AttributeValue>
 ProjectionExpression:str SearchVector!:[AttributeValue]1 SearchConditionExpression:str TopK!:int1
SearchVectorsOutput = ConsumedCapacity:VectorCapacity SearchResults:[SearchResultItem]
StartBulkPutItemsInput = ClientToken:token InputS3Configuration!:InputS3Configuration
 OutputS3Configuration!:OutputS3Configuration TableName!:str1 MaxWriteRequestUnits:int1024
 PerformanceTier:str
StartBulkPutItemsOutput = BulkOperationDescription!:BulkOperationDescription
TagResourceInput = ResourceArn!:str1 Tags!:[Tag]
TransactGetItemsInput = TransactItems!:[TransactGetItem]1 ReturnConsumedCapacity:str
TransactGetItemsOutput = ConsumedCapacity:[ConsumedCapacity] Responses:[ItemResponse]1
TransactWriteItemsInput = TransactItems!:[TransactWriteItem]1 ReturnConsumedCapacity:str
 ReturnItemCollectionMetrics:str ClientRequestToken:token1
TransactWriteItemsOutput = ConsumedCapacity:[ConsumedCapacity]
 ItemCollectionMetrics:<str1:[ItemCollectionMetrics]>
UntagResourceInput = ResourceArn!:str1 TagKeys!:[str1]
UpdateContinuousBackupsInput = TableName!:str1
 PointInTimeRecoverySpecification!:PointInTimeRecoverySpecification
UpdateContinuousBackupsOutput = ContinuousBackupsDescription:ContinuousBackupsDescription
UpdateContributorInsightsInput = TableName!:str1 IndexName:str3 ContributorInsightsAction!:str
 ContributorInsightsMode:str
UpdateContributorInsightsOutput = TableName:str3 IndexName:str3 ContributorInsightsStatus:str
 ContributorInsightsMode:str
UpdateGlobalTableInput = GlobalTableName!:str3 ReplicaUpdates!:[ReplicaUpdate]
UpdateGlobalTableOutput = GlobalTableDescription:GlobalTableDescription
UpdateGlobalTableSettingsInput = GlobalTableName!:str3 GlobalTableBillingMode:str
 GlobalTableProvisionedWriteCapacityUnits:int1
 GlobalTableProvisionedWriteCapacityAutoScalingSettingsUpdate:AutoScalingSettingsUpdate
 GlobalTableGlobalSecondaryIndexSettingsUpdate:[GlobalTableGlobalSecondaryIndexSettingsUpdate]1
 ReplicaSettingsUpdate:[ReplicaSettingsUpdate]1
UpdateGlobalTableSettingsOutput = GlobalTableName:str3
 ReplicaSettings:[ReplicaSettingsDescription]
UpdateItemInput = TableName!:str1 Key!:<str:AttributeValue>
 AttributeUpdates:<str:AttributeValueUpdate> Expected:<str:ExpectedAttributeValue>
 ConditionalOperator:str ReturnValues:str ReturnConsumedCapacity:str
 ReturnItemCollectionMetrics:str UpdateExpression:str ConditionExpression:condition
 ExpressionAttributeNames:<str:str> ExpressionAttributeValues:<str:AttributeValue>
 ReturnValuesOnConditionCheckFailure:str
UpdateItemOutput = Attributes:<str:AttributeValue> ConsumedCapacity:ConsumedCapacity
 ItemCollectionMetrics:ItemCollectionMetrics
UpdateKinesisStreamingDestinationInput = TableName!:str1 StreamArn!:str37
 UpdateKinesisStreamingConfiguration:UpdateKinesisStreamingConfiguration
UpdateKinesisStreamingDestinationOutput = TableName:str3 StreamArn:str37 DestinationStatus:str
 UpdateKinesisStreamingConfiguration:UpdateKinesisStreamingConfiguration
UpdateTableInput = AttributeDefinitions:[AttributeDefinition] TableName!:str1 BillingMode:str
 ProvisionedThroughput:ProvisionedThroughput
 GlobalSecondaryIndexUpdates:[GlobalSecondaryIndexUpdate] StreamSpecification:StreamSpecification
 SSESpecification:SSESpecification ReplicaUpdates:[ReplicationGroupUpdate]1 TableClass:str
 DeletionProtectionEnabled:bool MultiRegionConsistency:str
 GlobalTableWitnessUpdates:[GlobalTableWitnessGroupUpdate]1 OnDemandThroughput:OnDemandThroughput
 WarmThroughput:WarmThroughput GlobalTableSettingsReplicationMode:str
 DisassociationProtectionEnabled:bool VectorIndexUpdates:[VectorIndexUpdate]
UpdateTableOutput = TableDescription:TableDescription
UpdateTableReplicaAutoScalingInput =
 GlobalSecondaryIndexUpdates:[GlobalSecondaryIndexAutoScalingUpdate]1 TableName!:str1
 ProvisionedWriteCapacityAutoScalingUpdate:AutoScalingSettingsUpdate
 ReplicaUpdates:[ReplicaAutoScalingUpdate]1
UpdateTableReplicaAutoScalingOutput = TableAutoScalingDescription:TableAutoScalingDescription
UpdateTimeToLiveInput = TableName!:str1 TimeToLiveSpecification!:TimeToLiveSpecification
UpdateTimeToLiveOutput = TimeToLiveSpecification:TimeToLiveSpecification
BackupInUseException = message:str
BackupNotFoundException = message:str
ConditionalCheckFailedException = message:str Item:<str:AttributeValue>
ContinuousBackupsUnavailableException = message:str
DuplicateItemException = message:str
ExportConflictException = message:str
ExportNotFoundException = message:str
GlobalTableAlreadyExistsException = message:str
GlobalTableNotFoundException = message:str
IdempotentParameterMismatchException = Message:str
ImportConflictException = message:str
ImportNotFoundException = message:str
IndexNotFoundException = message:str
InternalServerError = message:str
InvalidExportTimeException = message:str
InvalidRestoreTimeException = message:str
ItemCollectionSizeLimitExceededException = message:str
LimitExceededException = message:str
PointInTimeRecoveryUnavailableException = message:str
PolicyNotFoundException = message:str
ProvisionedThroughputExceededException = message:str ThrottlingReasons:[ThrottlingReason]
ReplicaAlreadyExistsException = message:str
ReplicaNotFoundException = message:str
ReplicatedWriteConflictException = message:str
RequestLimitExceeded = message:str ThrottlingReasons:[ThrottlingReason]
ResourceInUseException = message:str
ResourceNotFoundException = message:str
TableAlreadyExistsException = message:str
TableInUseException = message:str
TableNotFoundException = message:str
ThrottlingException = message:str throttlingReasons:[ThrottlingReason]
TransactionCanceledException = Message:str CancellationReasons:[CancellationReason]1
TransactionConflictException = message:str
TransactionInProgressException = Message:str
BatchStatementRequest = Statement!:str1 Parameters:[AttributeValue]1 ConsistentRead:bool
 ReturnValuesOnConditionCheckFailure:str
BatchStatementResponse = Error:BatchStatementError TableName:str3 Item:<str:AttributeValue>
ConsumedCapacity = TableName:str1 CapacityUnits:float ReadCapacityUnits:float
 WriteCapacityUnits:float Table:Capacity LocalSecondaryIndexes:<str3:Capacity>
 GlobalSecondaryIndexes:<str3:Capacity> VectorIndexes:<str3:VectorCapacity>
KeysAndAttributes = Keys!:[<str:AttributeValue>]1 AttributesToGet:[str]1 ConsistentRead:bool
 ProjectionExpression:str ExpressionAttributeNames:<str:str>
AttributeValue = S:str N:str B:bytes SS:[str] NS:[str] BS:[bytes] M:<str:AttributeValue>
 L:[AttributeValue] NULL:bool BOOL:bool
WriteRequest = PutRequest:PutRequest DeleteRequest:DeleteRequest
ItemCollectionMetrics = ItemCollectionKey:<str:AttributeValue> SizeEstimateRangeGB:[float]
BackupDetails = BackupArn!:str37 BackupName!:str3 BackupSizeBytes:int0 BackupStatus!:str
 BackupType!:str BackupCreationDateTime!:time BackupExpiryDateTime:time
Replica = RegionName:str
GlobalTableDescription = ReplicationGroup:[ReplicaDescription] GlobalTableArn:str
 CreationDateTime:time GlobalTableStatus:str GlobalTableName:str3
AttributeDefinition = AttributeName!:str1 AttributeType!:str
KeySchemaElement = AttributeName!:str1 KeyType!:str
LocalSecondaryIndex = IndexName!:str3 KeySchema!:[KeySchemaElement]1 Projection!:Projection
GlobalSecondaryIndex = IndexName!:str3 KeySchema!:[KeySchemaElement]1 Projection!:Projection
 ProvisionedThroughput:ProvisionedThroughput OnDemandThroughput:OnDemandThroughput
 WarmThroughput:WarmThroughput
ProvisionedThroughput = ReadCapacityUnits!:int1 WriteCapacityUnits!:int1
StreamSpecification = StreamEnabled!:bool StreamViewType:str
SSESpecification = Enabled:bool SSEType:str KMSMasterKeyId:str
Tag = Key!:str1 Value!:str0
WarmThroughput = ReadUnitsPerSecond:int WriteUnitsPerSecond:int
OnDemandThroughput = MaxReadRequestUnits:int MaxWriteRequestUnits:int
VectorIndex = IndexName!:str3 VectorAttribute!:VectorAttributeDefinition
 SearchSchema:[SearchSchemaElement]1 Projection!:Projection Dimensions!:int1 DistanceFunction!:str
TableDescription = AttributeDefinitions:[AttributeDefinition] TableName:str3
 KeySchema:[KeySchemaElement]1 TableStatus:str CreationDateTime:time
 ProvisionedThroughput:ProvisionedThroughputDescription TableSizeBytes:int ItemCount:int
 TableArn:str TableId:str BillingModeSummary:BillingModeSummary
 LocalSecondaryIndexes:[LocalSecondaryIndexDescription]
 GlobalSecondaryIndexes:[GlobalSecondaryIndexDescription] StreamSpecification:StreamSpecification
 LatestStreamLabel:str LatestStreamArn:str37 GlobalTableVersion:str Replicas:[ReplicaDescription]
 GlobalTableWitnesses:[GlobalTableWitnessDescription] GlobalTableSettingsReplicationMode:str
 RestoreSummary:RestoreSummary SSEDescription:SSEDescription ArchivalSummary:ArchivalSummary
 TableClassSummary:TableClassSummary DeletionProtectionEnabled:bool
 DisassociationProtectionEnabled:bool OnDemandThroughput:OnDemandThroughput
 WarmThroughput:TableWarmThroughputDescription MultiRegionConsistency:str
 VectorIndexes:[VectorIndexDescription]
BackupDescription = BackupDetails:BackupDetails SourceTableDetails:SourceTableDetails
 SourceTableFeatureDetails:SourceTableFeatureDetails
ExpectedAttributeValue = Value:AttributeValue Exists:bool ComparisonOperator:str
 AttributeValueList:[AttributeValue]
BulkOperationDescription = BulkOperationArn:str37 BulkOperationStatus:str
 TableDetails:[BulkOperationTableDetail] ClientToken:str InputS3Configuration:InputS3Configuration
 OutputS3Configuration:OutputS3Configuration StartTime:time EndTime:time ProcessedItemCount:int0
 ProcessedInputBytes:int0 TotalInputBytes:int0 BulkOperationUsage:[BulkOperationUsage]
 FailedItemCount:int0 FailureCode:str FailureMessage:str MaxWriteRequestUnits:int1024
 PerformanceTier:str
ContinuousBackupsDescription = ContinuousBackupsStatus!:str
 PointInTimeRecoveryDescription:PointInTimeRecoveryDescription
FailureException = ExceptionName:str ExceptionDescription:str
Endpoint = Address!:str CachePeriodInMinutes!:int
ExportDescription = ExportArn:str37 ExportStatus:str StartTime:time EndTime:time
 ExportManifest:str TableArn:str1 TableId:str ExportTime:time ClientToken:str S3Bucket:str
 S3BucketOwner:str S3Prefix:str S3SseAlgorithm:str S3SseKmsKeyId:str1 FailureCode:str
 FailureMessage:str ExportFormat:str BilledSizeBytes:int0 ItemCount:int0 ExportType:str
 IncrementalExportSpecification:IncrementalExportSpecification
 FilterSpecification:FilterSpecification
ReplicaSettingsDescription = RegionName!:str ReplicaStatus:str
 ReplicaBillingModeSummary:BillingModeSummary ReplicaProvisionedReadCapacityUnits:int0
 ReplicaProvisionedReadCapacityAutoScalingSettings:AutoScalingSettingsDescription
 ReplicaProvisionedWriteCapacityUnits:int0
 ReplicaProvisionedWriteCapacityAutoScalingSettings:AutoScalingSettingsDescription
 ReplicaGlobalSecondaryIndexSettings:[ReplicaGlobalSecondaryIndexSettingsDescription]
 ReplicaTableClassSummary:TableClassSummary
ImportTableDescription = ImportArn:str37 ImportStatus:str TableArn:str1 TableId:str
 ClientToken:str S3BucketSource:S3BucketSource ErrorCount:int0 CloudWatchLogGroupArn:str1
 InputFormat:str InputFormatOptions:InputFormatOptions InputCompressionType:str
 TableCreationParameters:TableCreationParameters StartTime:time EndTime:time
 ProcessedSizeBytes:int ProcessedItemCount:int0 ImportedItemCount:int0 FailureCode:str
 FailureMessage:str
KinesisDataStreamDestination = StreamArn:str37 DestinationStatus:str
 DestinationStatusDescription:str ApproximateCreationDateTimePrecision:str
TableAutoScalingDescription = TableName:str3 TableStatus:str
 Replicas:[ReplicaAutoScalingDescription]
TimeToLiveDescription = TimeToLiveStatus:str AttributeName:str1
EnableKinesisStreamingConfiguration = ApproximateCreationDateTimePrecision:str
ParameterizedStatement = Statement!:str1 Parameters:[AttributeValue]1
 ReturnValuesOnConditionCheckFailure:str
ItemResponse = Item:<str:AttributeValue>
IncrementalExportSpecification = ExportFromTime:time ExportToTime:time ExportViewType:str
FilterSpecification = FilterExpression:condition ProjectionExpression:str
 KeyConditionExpression:keycondition ExpressionAttributeNames:<str:str>
 ExpressionAttributeValues:<str:AttributeValue>
S3BucketSource = S3BucketOwner:str S3Bucket!:str S3KeyPrefix:str
InputFormatOptions = Csv:CsvOptions
TableCreationParameters = TableName!:str3 AttributeDefinitions!:[AttributeDefinition]
 KeySchema!:[KeySchemaElement]1 BillingMode:str ProvisionedThroughput:ProvisionedThroughput
 OnDemandThroughput:OnDemandThroughput SSESpecification:SSESpecification
 GlobalSecondaryIndexes:[GlobalSecondaryIndex] VectorIndexes:[VectorIndex]
BackupSummary = TableName:str3 TableId:str TableArn:str1 BackupArn:str37 BackupName:str3
 BackupCreationDateTime:time BackupExpiryDateTime:time BackupStatus:str BackupType:str
 BackupSizeBytes:int0
BulkOperationSummary = BulkOperationArn!:str37 BulkOperationStatus!:str StartTime!:time
 EndTime:time
ContributorInsightsSummary = TableName:str3 IndexName:str3 ContributorInsightsStatus:str
 ContributorInsightsMode:str
ExportSummary = ExportArn:str37 ExportStatus:str ExportType:str
GlobalTable = GlobalTableName:str3 ReplicationGroup:[Replica]
ImportSummary = ImportArn:str37 ImportStatus:str TableArn:str1 S3BucketSource:S3BucketSource
 CloudWatchLogGroupArn:str1 InputFormat:str StartTime:time EndTime:time
Condition = AttributeValueList:[AttributeValue] ComparisonOperator!:str
VectorCapacity = VectorSearchRequestBytes:float VectorWriteRequestBytes:float
SearchResultItem = Item:<str:AttributeValue> Score:float
InputS3Configuration = S3BucketOwner:str S3Bucket!:str S3KeyPrefix:str InputFormat!:str
 InputCompressionType:str
OutputS3Configuration = S3BucketOwner:str S3Bucket:str S3KeyPrefix:str S3SseAlgorithm:str
 S3SseKmsKeyId:str1 OutputType!:[str]
TransactGetItem = Get!:Get
TransactWriteItem = ConditionCheck:ConditionCheck Put:Put Delete:Delete Update:Update
PointInTimeRecoverySpecification = PointInTimeRecoveryEnabled!:bool RecoveryPeriodInDays:int1
ReplicaUpdate = Create:CreateReplicaAction Delete:DeleteReplicaAction
AutoScalingSettingsUpdate = MinimumUnits:int1 MaximumUnits:int1 AutoScalingDisabled:bool
 AutoScalingRoleArn:str1 ScalingPolicyUpdate:AutoScalingPolicyUpdate
GlobalTableGlobalSecondaryIndexSettingsUpdate = IndexName!:str3 ProvisionedWriteCapacityUnits:int1
 ProvisionedWriteCapacityAutoScalingSettingsUpdate:AutoScalingSettingsUpdate
ReplicaSettingsUpdate = RegionName!:str ReplicaProvisionedReadCapacityUnits:int1
 ReplicaProvisionedReadCapacityAutoScalingSettingsUpdate:AutoScalingSettingsUpdate
 ReplicaGlobalSecondaryIndexSettingsUpdate:[ReplicaGlobalSecondaryIndexSettingsUpdate]1
 ReplicaTableClass:str
AttributeValueUpdate = Value:AttributeValue Action:str
UpdateKinesisStreamingConfiguration = ApproximateCreationDateTimePrecision:str
GlobalSecondaryIndexUpdate = Update:UpdateGlobalSecondaryIndexAction
 Create:CreateGlobalSecondaryIndexAction Delete:DeleteGlobalSecondaryIndexAction
ReplicationGroupUpdate = Create:CreateReplicationGroupMemberAction
 Update:UpdateReplicationGroupMemberAction Delete:DeleteReplicationGroupMemberAction
 Disassociate:DisassociateReplicationGroupMemberAction
GlobalTableWitnessGroupUpdate = Create:CreateGlobalTableWitnessGroupMemberAction
 Delete:DeleteGlobalTableWitnessGroupMemberAction
VectorIndexUpdate = Create:CreateVectorIndexAction Delete:DeleteVectorIndexAction
GlobalSecondaryIndexAutoScalingUpdate = IndexName:str3
 ProvisionedWriteCapacityAutoScalingUpdate:AutoScalingSettingsUpdate
ReplicaAutoScalingUpdate = RegionName!:str
 ReplicaGlobalSecondaryIndexUpdates:[ReplicaGlobalSecondaryIndexAutoScalingUpdate]
 ReplicaProvisionedReadCapacityAutoScalingUpdate:AutoScalingSettingsUpdate
TimeToLiveSpecification = Enabled!:bool AttributeName!:str1
ThrottlingReason = reason:str resource:str
CancellationReason = Item:<str:AttributeValue> Code:str Message:str
BatchStatementError = Code:str Message:str Item:<str:AttributeValue>
Capacity = ReadCapacityUnits:float WriteCapacityUnits:float CapacityUnits:float
PutRequest = Item!:<str:AttributeValue>
DeleteRequest = Key!:<str:AttributeValue>
ReplicaDescription = RegionName:str ReplicaStatus:str ReplicaArn:str ReplicaStatusDescription:str
 ReplicaStatusPercentProgress:str KMSMasterKeyId:str
 ProvisionedThroughputOverride:ProvisionedThroughputOverride
 OnDemandThroughputOverride:OnDemandThroughputOverride
 WarmThroughput:TableWarmThroughputDescription
 GlobalSecondaryIndexes:[ReplicaGlobalSecondaryIndexDescription] ReplicaInaccessibleDateTime:time
 ReplicaTableClassSummary:TableClassSummary GlobalTableSettingsReplicationMode:str
Projection = ProjectionType:str NonKeyAttributes:[str1]1
VectorAttributeDefinition = AttributeName!:str1
SearchSchemaElement = AttributeName!:str SearchSchemaElementType!:str
ProvisionedThroughputDescription = LastIncreaseDateTime:time LastDecreaseDateTime:time
 NumberOfDecreasesToday:int1 ReadCapacityUnits:int0 WriteCapacityUnits:int0
BillingModeSummary = BillingMode:str LastUpdateToPayPerRequestDateTime:time
LocalSecondaryIndexDescription = IndexName:str3 KeySchema:[KeySchemaElement]1
 Projection:Projection IndexSizeBytes:int ItemCount:int IndexArn:str
GlobalSecondaryIndexDescription = IndexName:str3 KeySchema:[KeySchemaElement]1
 Projection:Projection IndexStatus:str Backfilling:bool
 ProvisionedThroughput:ProvisionedThroughputDescription IndexSizeBytes:int ItemCount:int
 IndexArn:str OnDemandThroughput:OnDemandThroughput
 WarmThroughput:GlobalSecondaryIndexWarmThroughputDescription
GlobalTableWitnessDescription = RegionName:str WitnessStatus:str
RestoreSummary = SourceBackupArn:str37 SourceTableArn:str1 RestoreDateTime!:time
 RestoreInProgress!:bool
SSEDescription = Status:str SSEType:str KMSMasterKeyArn:str InaccessibleEncryptionDateTime:time
ArchivalSummary = ArchivalDateTime:time ArchivalReason:str ArchivalBackupArn:str37
TableClassSummary = TableClass:str LastUpdateDateTime:time
TableWarmThroughputDescription = ReadUnitsPerSecond:int1 WriteUnitsPerSecond:int1 Status:str
VectorIndexDescription = IndexName:str3 SearchSchema:[SearchSchemaElement]1 Projection:Projection
 VectorAttribute:VectorAttributeDefinition Dimensions:int1 DistanceFunction:str IndexStatus:str
 Backfilling:bool IndexSizeBytes:int ItemCount:int IndexArn:str
SourceTableDetails = TableName!:str3 TableId!:str TableArn:str1 TableSizeBytes:int
 KeySchema!:[KeySchemaElement]1 TableCreationDateTime!:time
 ProvisionedThroughput!:ProvisionedThroughput OnDemandThroughput:OnDemandThroughput ItemCount:int0
 BillingMode:str
SourceTableFeatureDetails = LocalSecondaryIndexes:[LocalSecondaryIndexInfo]
 GlobalSecondaryIndexes:[GlobalSecondaryIndexInfo] StreamDescription:StreamSpecification
 TimeToLiveDescription:TimeToLiveDescription SSEDescription:SSEDescription
 VectorIndexes:[VectorIndexInfo]
BulkOperationTableDetail = TableName:str1 TableId:str
BulkOperationUsage = TableName:str1 BulkPutBytes:int0 Table:BulkOperationBytes
 LocalSecondaryIndexes:<str3:BulkOperationBytes> GlobalSecondaryIndexes:<str3:BulkOperationBytes>
 VectorIndexes:<str3:BulkOperationVectorBytes>
PointInTimeRecoveryDescription = PointInTimeRecoveryStatus:str RecoveryPeriodInDays:int1
 EarliestRestorableDateTime:time LatestRestorableDateTime:time
AutoScalingSettingsDescription = MinimumUnits:int1 MaximumUnits:int1 AutoScalingDisabled:bool
 AutoScalingRoleArn:str ScalingPolicies:[AutoScalingPolicyDescription]
ReplicaGlobalSecondaryIndexSettingsDescription = IndexName!:str3 IndexStatus:str
 ProvisionedReadCapacityUnits:int1
 ProvisionedReadCapacityAutoScalingSettings:AutoScalingSettingsDescription
 ProvisionedWriteCapacityUnits:int1
 ProvisionedWriteCapacityAutoScalingSettings:AutoScalingSettingsDescription
ReplicaAutoScalingDescription = RegionName:str
 GlobalSecondaryIndexes:[ReplicaGlobalSecondaryIndexAutoScalingDescription]
 ReplicaProvisionedReadCapacityAutoScalingSettings:AutoScalingSettingsDescription
 ReplicaProvisionedWriteCapacityAutoScalingSettings:AutoScalingSettingsDescription
 ReplicaStatus:str
CsvOptions = Delimiter:str1 HeaderList:[str1]1
Get = Key!:<str:AttributeValue> TableName!:str1 ProjectionExpression:str
 ExpressionAttributeNames:<str:str>
ConditionCheck = Key!:<str:AttributeValue> TableName!:str1 ConditionExpression!:condition
 ExpressionAttributeNames:<str:str> ExpressionAttributeValues:<str:AttributeValue>
 ReturnValuesOnConditionCheckFailure:str
Put = Item!:<str:AttributeValue> TableName!:str1 ConditionExpression:condition
 ExpressionAttributeNames:<str:str> ExpressionAttributeValues:<str:AttributeValue>
 ReturnValuesOnConditionCheckFailure:str
Delete = Key!:<str:AttributeValue> TableName!:str1 ConditionExpression:condition
 ExpressionAttributeNames:<str:str> ExpressionAttributeValues:<str:AttributeValue>
 ReturnValuesOnConditionCheckFailure:str
Update = Key!:<str:AttributeValue> UpdateExpression!:str TableName!:str1
 ConditionExpression:condition ExpressionAttributeNames:<str:str>
 ExpressionAttributeValues:<str:AttributeValue> ReturnValuesOnConditionCheckFailure:str
CreateReplicaAction = RegionName!:str
DeleteReplicaAction = RegionName!:str
AutoScalingPolicyUpdate = PolicyName:str1 TargetTrackingScalingPolicyConfiguration!:
 AutoScalingTargetTrackingScalingPolicyConfigurationUpdate
ReplicaGlobalSecondaryIndexSettingsUpdate = IndexName!:str3 ProvisionedReadCapacityUnits:int1
 ProvisionedReadCapacityAutoScalingSettingsUpdate:AutoScalingSettingsUpdate
UpdateGlobalSecondaryIndexAction = IndexName!:str3 ProvisionedThroughput:ProvisionedThroughput
 OnDemandThroughput:OnDemandThroughput WarmThroughput:WarmThroughput
CreateGlobalSecondaryIndexAction = IndexName!:str3 KeySchema!:[KeySchemaElement]1
 Projection!:Projection ProvisionedThroughput:ProvisionedThroughput
 OnDemandThroughput:OnDemandThroughput WarmThroughput:WarmThroughput
DeleteGlobalSecondaryIndexAction = IndexName!:str3
CreateReplicationGroupMemberAction = RegionName!:str KMSMasterKeyId:str
 ProvisionedThroughputOverride:ProvisionedThroughputOverride
 OnDemandThroughputOverride:OnDemandThroughputOverride
 GlobalSecondaryIndexes:[ReplicaGlobalSecondaryIndex]1 TableClassOverride:str
UpdateReplicationGroupMemberAction = RegionName!:str KMSMasterKeyId:str
 ProvisionedThroughputOverride:ProvisionedThroughputOverride
 OnDemandThroughputOverride:OnDemandThroughputOverride
 GlobalSecondaryIndexes:[ReplicaGlobalSecondaryIndex]1 TableClassOverride:str
DeleteReplicationGroupMemberAction = RegionName!:str
DisassociateReplicationGroupMemberAction = RegionName!:str DisassociationMode!:str
CreateGlobalTableWitnessGroupMemberAction = RegionName!:str
DeleteGlobalTableWitnessGroupMemberAction = RegionName!:str
CreateVectorIndexAction = IndexName!:str3 VectorAttribute!:VectorAttributeDefinition
 SearchSchema:[SearchSchemaElement]1 Projection!:Projection Dimensions!:int1 DistanceFunction!:str
DeleteVectorIndexAction = IndexName!:str3
ReplicaGlobalSecondaryIndexAutoScalingUpdate = IndexName:str3
 ProvisionedReadCapacityAutoScalingUpdate:AutoScalingSettingsUpdate
ProvisionedThroughputOverride = ReadCapacityUnits:int1
OnDemandThroughputOverride = MaxReadRequestUnits:int
ReplicaGlobalSecondaryIndexDescription = IndexName:str3
 ProvisionedThroughputOverride:ProvisionedThroughputOverride
 OnDemandThroughputOverride:OnDemandThroughputOverride
 WarmThroughput:GlobalSecondaryIndexWarmThroughputDescription
GlobalSecondaryIndexWarmThroughputDescription = ReadUnitsPerSecond:int1 WriteUnitsPerSecond:int1
 Status:str
LocalSecondaryIndexInfo = IndexName:str3 KeySchema:[KeySchemaElement]1 Projection:Projection
GlobalSecondaryIndexInfo = IndexName:str3 KeySchema:[KeySchemaElement]1 Projection:Projection
 ProvisionedThroughput:ProvisionedThroughput OnDemandThroughput:OnDemandThroughput
VectorIndexInfo = IndexName:str3 VectorAttribute:VectorAttributeDefinition
 SearchSchema:[SearchSchemaElement]1 Projection:Projection Dimensions:int1 DistanceFunction:str
BulkOperationBytes = BulkPutBytes:int0
BulkOperationVectorBytes = BulkPutVectorBytes:int0
AutoScalingPolicyDescription = PolicyName:str1 TargetTrackingScalingPolicyConfiguration:
 AutoScalingTargetTrackingScalingPolicyConfigurationDescription
ReplicaGlobalSecondaryIndexAutoScalingDescription = IndexName:str3 IndexStatus:str
 ProvisionedReadCapacityAutoScalingSettings:AutoScalingSettingsDescription
 ProvisionedWriteCapacityAutoScalingSettings:AutoScalingSettingsDescription
AutoScalingTargetTrackingScalingPolicyConfigurationUpdate = DisableScaleIn:bool
 ScaleInCooldown:int ScaleOutCooldown:int TargetValue!:float
ReplicaGlobalSecondaryIndex = IndexName!:str3
 ProvisionedThroughputOverride:ProvisionedThroughputOverride
 OnDemandThroughputOverride:OnDemandThroughputOverride
AutoScalingTargetTrackingScalingPolicyConfigurationDescription = DisableScaleIn:bool
 ScaleInCooldown:int ScaleOutCooldown:int TargetValue!:float
"""

OPERATIONS = """\
BatchExecuteStatement
BatchGetItem
BatchWriteItem
CancelBulkOperation
CreateBackup
CreateGlobalTable
CreateTable
DeleteBackup
DeleteItem
DeleteResourcePolicy
DeleteTable
DescribeBackup
DescribeBulkOperation
DescribeContinuousBackups
DescribeContributorInsights
DescribeEndpoints DescribeEndpointsRequest DescribeEndpointsResponse
DescribeExport
DescribeGlobalTable
DescribeGlobalTableSettings
DescribeImport
DescribeKinesisStreamingDestination
DescribeLimits
DescribeTable
DescribeTableReplicaAutoScaling
DescribeTimeToLive
DisableKinesisStreamingDestination KinesisStreamingDestinationInput
 KinesisStreamingDestinationOutput
EnableKinesisStreamingDestination KinesisStreamingDestinationInput
 KinesisStreamingDestinationOutput
ExecuteStatement
ExecuteTransaction
ExportTableToPointInTime
GetItem
GetResourcePolicy
ImportTable
ListBackups
ListBulkOperations
ListContributorInsights
ListExports
ListGlobalTables
ListImports
ListTables
ListTagsOfResource
PutItem
PutResourcePolicy
Query
RestoreTableFromBackup
RestoreTableToPointInTime
Scan
SearchVectors
StartBulkPutItems
TagResource TagResourceInput -
TransactGetItems
TransactWriteItems
UntagResource UntagResourceInput -
UpdateContinuousBackups
UpdateContributorInsights
UpdateGlobalTable
UpdateGlobalTableSettings
UpdateItem
UpdateKinesisStreamingDestination
UpdateTable
UpdateTableReplicaAutoScaling
UpdateTimeToLive
"""

ERRORS = """\
BackupInUseException BackupNotFoundException ConditionalCheckFailedException
ContinuousBackupsUnavailableException DuplicateItemException ExportConflictException
ExportNotFoundException GlobalTableAlreadyExistsException GlobalTableNotFoundException
IdempotentParameterMismatchException ImportConflictException ImportNotFoundException
IndexNotFoundException InternalServerError InvalidExportTimeException InvalidRestoreTimeException
ItemCollectionSizeLimitExceededException LimitExceededException
PointInTimeRecoveryUnavailableException PolicyNotFoundException
ProvisionedThroughputExceededException ReplicaAlreadyExistsException ReplicaNotFoundException
ReplicatedWriteConflictException RequestLimitExceeded ResourceInUseException
ResourceNotFoundException TableAlreadyExistsException TableInUseException TableNotFoundException
ThrottlingException TransactionCanceledException TransactionConflictException
TransactionInProgressException
"""


class Pages(NamedTuple):
    """How an operation's pages hang together: member names of request and response."""

    token_in: str
    token_out: str
    limit: str | None
    results: tuple[str, ...]          # summed or joined over the pages; the first one is counted
    others: tuple[str, ...] = ()      # taken from the first page


_ITEMS = ("Items", "Count", "ScannedCount")

PAGINATORS = {
    "ListBackups": Pages(
        "ExclusiveStartBackupArn", "LastEvaluatedBackupArn", "Limit", ("BackupSummaries",)
    ),
    "ListBulkOperations": Pages(
        "NextToken", "NextToken", "MaxResults", ("BulkOperationsSummaryList",)
    ),
    "ListTables": Pages(
        "ExclusiveStartTableName", "LastEvaluatedTableName", "Limit", ("TableNames",)
    ),
    "ListTagsOfResource": Pages("NextToken", "NextToken", None, ("Tags",)),
    "Query": Pages("ExclusiveStartKey", "LastEvaluatedKey", "Limit", _ITEMS, ("ConsumedCapacity",)),
    "Scan": Pages("ExclusiveStartKey", "LastEvaluatedKey", "Limit", _ITEMS, ("ConsumedCapacity",)),
}


class Acceptor(NamedTuple):
    """What of a response ends a wait; matcher is "path", "pathAny" or "error"."""

    matcher: str
    argument: str | None
    expected: str | bool
    state: str                        # success, failure or retry


class Wait(NamedTuple):
    """What a waiter asks for, how often at most, and every how many seconds."""

    operation: str
    delay_s: int
    attempts_max: int
    acceptors: tuple[Acceptor, ...]


def _status(path: str, *ends: tuple[str, str]) -> tuple[Acceptor, ...]:
    return tuple(Acceptor("path", path, expected, state) for expected, state in ends)


NO_STREAM_IS_ACTIVE = (
    "length(KinesisDataStreamDestinations) > `0`  && length(KinesisDataStreamDestinations"
    "[?DestinationStatus == 'DISABLED' || DestinationStatus == 'ENABLE_FAILED']) ==  "
    "length(KinesisDataStreamDestinations)"
)

WAITERS = {
    "BulkOperationCompleted": Wait(
        "DescribeBulkOperation",
        20,
        180,
        _status(
            "BulkOperationDescription.BulkOperationStatus",
            ("COMPLETED", "success"),
            ("COMPLETED_WITH_ERRORS", "success"),
            ("CANCELLED", "failure"),
            ("FAILED", "failure"),
        ),
    ),
    "ContributorInsightsEnabled": Wait(
        "DescribeContributorInsights",
        20,
        30,
        _status("ContributorInsightsStatus", ("ENABLED", "success"), ("FAILED", "failure")),
    ),
    "ExportCompleted": Wait(
        "DescribeExport",
        20,
        60,
        _status("ExportDescription.ExportStatus", ("COMPLETED", "success"), ("FAILED", "failure")),
    ),
    "ImportCompleted": Wait(
        "DescribeImport",
        20,
        60,
        _status(
            "ImportTableDescription.ImportStatus",
            ("COMPLETED", "success"),
            ("FAILED", "failure"),
            ("CANCELLED", "failure"),
        ),
    ),
    "KinesisStreamingDestinationActive": Wait(
        "DescribeKinesisStreamingDestination",
        20,
        30,
        (
            Acceptor(
                "pathAny", "KinesisDataStreamDestinations[].DestinationStatus", "ACTIVE", "success"
            ),
            Acceptor("path", NO_STREAM_IS_ACTIVE, True, "failure"),
        ),
    ),
    "TableExists": Wait(
        "DescribeTable",
        20,
        25,
        (
            Acceptor("path", "Table.TableStatus", "ACTIVE", "success"),
            Acceptor("error", None, "ResourceNotFoundException", "retry"),
        ),
    ),
    "TableNotExists": Wait(
        "DescribeTable",
        20,
        25,
        (Acceptor("error", None, "ResourceNotFoundException", "success"),),
    ),
}
